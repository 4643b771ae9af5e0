/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rest/rest-request.h"

/* Health for supervisors: no secret, no token needed. */

/* GET /health/live. */
void vigil_rest_health_get_live (
    const VigilRestRequest *request, VigilRestResponse *response);

/* GET /health/ready. */
void vigil_rest_health_get_ready (
    const VigilRestRequest *request, VigilRestResponse *response);
