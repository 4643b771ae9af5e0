/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"

/* Prints status objects of instances as a table, with a line below for each
 * thing that is wrong. @statuses: a list. */
void vigil_instance_table_print (const VigilJson *statuses);
