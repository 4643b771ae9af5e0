/* SPDX-License-Identifier: Apache-2.0 */
/* /openapi.json: the file of that name, built into the program. */
#include "rest/rest-openapi.h"

#include "rest/openapi-text.h"

void
vigil_rest_openapi_get (
    const VigilRestRequest *request, VigilRestResponse *response)
{
  g_string_append_len (
      response->body, (const char *)openapi_text, sizeof openapi_text);
}
