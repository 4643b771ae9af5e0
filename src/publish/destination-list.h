/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "publish/destination.h"

/* The implementations, for the registry alone. */
extern const VigilDestinationOps vigil_mqtt_destination_ops;
extern const VigilDestinationOps vigil_eis_destination_ops;
extern const VigilDestinationOps vigil_file_destination_ops;
