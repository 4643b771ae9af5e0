/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rest/rest-request.h"

/* The pipelines that can be started. */

/* GET /pipelines. */
void vigil_rest_pipelines_list (
    const VigilRestRequest *request, VigilRestResponse *response);

/* GET /pipelines/{name}/{version}. */
void vigil_rest_pipelines_get (
    const VigilRestRequest *request, VigilRestResponse *response);

/* POST /pipelines/{name}/{version}. Blocks for the parse. */
void vigil_rest_pipelines_start (
    const VigilRestRequest *request, VigilRestResponse *response);
