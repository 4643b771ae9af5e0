/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rest/rest-request.h"

/* The description of this interface. */

/* GET /openapi.json. */
void vigil_rest_openapi_get (
    const VigilRestRequest *request, VigilRestResponse *response);
