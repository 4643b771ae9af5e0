/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rest/rest-request.h"

/* Models: vigil has no model registry, and says so as DLSPS without one. */

/* GET /models. */
void vigil_rest_models_list (
    const VigilRestRequest *request, VigilRestResponse *response);

/* POST /pipelines/{name}/{version}/{instance_id}/models. */
void vigil_rest_models_update (
    const VigilRestRequest *request, VigilRestResponse *response);
