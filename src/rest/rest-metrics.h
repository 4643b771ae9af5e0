/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rest/rest-request.h"

/* Metrics in the text format of Prometheus (0.0.4). */

/* GET /metrics. */
void vigil_rest_metrics_get (
    const VigilRestRequest *request, VigilRestResponse *response);
