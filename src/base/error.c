/* SPDX-License-Identifier: Apache-2.0 */
/* The error domain, and what its codes mean outside the program. */
#include "base/error.h"

#include <sysexits.h>

GQuark
vigil_error_quark (void)
{
  return g_quark_from_static_string ("vigil-error-quark");
}

int
vigil_error_exit_status (const GError *error)
{
  if (error == NULL)
    return EX_OK;
  if (error->domain != VIGIL_ERROR)
    return EX_SOFTWARE;
  switch ((VigilErrorCode)error->code) {
  case VIGIL_ERROR_INVALID:
  case VIGIL_ERROR_UNSUPPORTED:
    return EX_CONFIG;
  case VIGIL_ERROR_NOT_FOUND:
    return EX_NOINPUT;
  case VIGIL_ERROR_UNAVAILABLE:
  case VIGIL_ERROR_TIMEOUT:
    return EX_TEMPFAIL;
  case VIGIL_ERROR_PROTOCOL:
    return EX_PROTOCOL;
  case VIGIL_ERROR_LIMIT:
    return EX_DATAERR;
  case VIGIL_ERROR_FAILED:
    return EX_SOFTWARE;
  }
  return EX_SOFTWARE;
}

unsigned
vigil_error_http_status (const GError *error)
{
  if (error == NULL)
    return 200;
  if (error->domain != VIGIL_ERROR)
    return 500;
  switch ((VigilErrorCode)error->code) {
  case VIGIL_ERROR_INVALID:
  case VIGIL_ERROR_UNSUPPORTED:
    return 400;
  case VIGIL_ERROR_NOT_FOUND:
    return 404;
  case VIGIL_ERROR_UNAVAILABLE:
    return 503;
  case VIGIL_ERROR_PROTOCOL:
    return 502;
  case VIGIL_ERROR_TIMEOUT:
    return 504;
  case VIGIL_ERROR_LIMIT:
    return 413;
  case VIGIL_ERROR_FAILED:
    return 500;
  }
  return 500;
}
