/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rest/rest-request.h"

/* Images for instances of an image ingestor. */

/* POST /pipelines/{name}/{version}/{instance_id}. Blocks for the result when
 * the instance is synchronous. */
void vigil_rest_images_ingest (
    const VigilRestRequest *request, VigilRestResponse *response);
