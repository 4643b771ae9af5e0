/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rest/rest-request.h"

/* Instances: what runs, ran, or waits to run. */

/* GET /pipelines/status. */
void vigil_rest_instances_list (
    const VigilRestRequest *request, VigilRestResponse *response);

/* GET /pipelines/{instance_id}/status. */
void vigil_rest_instances_get_status (
    const VigilRestRequest *request, VigilRestResponse *response);

/* GET /pipelines/{instance_id}. */
void vigil_rest_instances_get_summary (
    const VigilRestRequest *request, VigilRestResponse *response);

/* DELETE /pipelines/{instance_id}. Blocks until the instance has ended, up
 * to a limit. */
void vigil_rest_instances_stop (
    const VigilRestRequest *request, VigilRestResponse *response);
