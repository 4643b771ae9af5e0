/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL between iovecs and a non-blocking socket. OpenSSL writes into a
 * buffer of ours, never into the socket: so a record that it has encrypted
 * is always taken, several records leave with one system call, and the
 * rules about repeating a write with the same bytes do not arise.
 */
#include "mqtt/mqtt-tls-stream.h"

#include "mqtt/mqtt-fault.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/* RFC 8446 section 5.1: the most that one record carries. */
#define RECORD_BYTES 16384
/* A record grows by header, nonce, padding and tag: RFC 5246 section 6.2.3
 * allows 2048 bytes. */
#define RECORD_BYTES_ENCRYPTED (RECORD_BYTES + 2048 + 5)
/* With this much waiting no further record is made. More costs more: three
 * records are still in the processor's cache when the system copies them. */
#define OUT_LIMIT_BYTES (3 * RECORD_BYTES)
#define OUT_SIZE_BYTES (OUT_LIMIT_BYTES + RECORD_BYTES_ENCRYPTED)
/* What a peer's certificate says is cut here, so that the advice behind it
 * is still seen. */
#define DETAIL_BYTES 96

struct _VigilMqttTlsStream {
  SSL *ssl;
  int fd;
  char *host;
  gboolean has_client_certificate;
  gboolean is_established;
  /* A write cannot go on before something was read: polling for POLLOUT
   * would spin. */
  gboolean write_needs_read;
  int socket_errno;   /* of the last failed recv or send */
  gboolean is_at_end; /* the peer sends no more */

  GError *failure;               /* nullable: what ended it */
  VigilMqttFaultId verify_fault; /* VIGIL_MQTT_FAULTS: none */
  char verify_detail[DETAIL_BYTES];

  size_t out_start;
  size_t out_end;
  unsigned char out[OUT_SIZE_BYTES];
  unsigned char gathered[RECORD_BYTES];
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SSL, SSL_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BIO, BIO_free_all)

/* ---- The BIO below OpenSSL ------------------------------------------- */

static int
bio_write (BIO *bio, const char *bytes, int length)
{
  VigilMqttTlsStream *self = BIO_get_data (bio);

  BIO_clear_retry_flags (bio);
  if (self->out_start == self->out_end)
    self->out_start = self->out_end = 0;
  size_t room = OUT_SIZE_BYTES - self->out_end;
  if (room < (size_t)length && self->out_start > 0) {
    memmove (self->out, self->out + self->out_start,
        self->out_end - self->out_start);
    self->out_end -= self->out_start;
    self->out_start = 0;
    room = OUT_SIZE_BYTES - self->out_end;
  }
  if (room == 0) {
    BIO_set_retry_write (bio);
    return -1;
  }
  size_t taken = MIN (room, (size_t)length);
  memcpy (self->out + self->out_end, bytes, taken);
  self->out_end += taken;
  return (int)taken;
}

static int
bio_read (BIO *bio, char *buffer, int size)
{
  VigilMqttTlsStream *self = BIO_get_data (bio);
  ssize_t got;

  BIO_clear_retry_flags (bio);
  do
    got = recv (self->fd, buffer, (size_t)size, MSG_DONTWAIT);
  while (got < 0 && errno == EINTR);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
    BIO_set_retry_read (bio);
  else if (got < 0)
    self->socket_errno = errno;
  else
    self->is_at_end = got == 0;
  return (int)got;
}

static long
bio_control (BIO *bio, int command, long number, void *pointer)
{
  const VigilMqttTlsStream *self = BIO_get_data (bio);

  if (command == BIO_CTRL_EOF)
    return self->is_at_end;
  /* OpenSSL asks for a flush after each flight; sending is our business. */
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static BIO_METHOD *
get_bio_method (void)
{
  static BIO_METHOD *method;

  if (g_once_init_enter (&method)) {
    BIO_METHOD *made = BIO_meth_new (
        BIO_get_new_index () | BIO_TYPE_SOURCE_SINK, "vigil socket");
    BIO_meth_set_write (made, bio_write);
    BIO_meth_set_read (made, bio_read);
    BIO_meth_set_ctrl (made, bio_control);
    g_once_init_leave (&method, made);
  }
  return method;
}

/* Sends what waits, as far as the socket takes it. FALSE: the connection is
 * broken, socket_errno says how. */
static gboolean
flush_out (VigilMqttTlsStream *self)
{
  while (self->out_start < self->out_end) {
    ssize_t sent = send (self->fd, self->out + self->out_start,
        self->out_end - self->out_start, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR)
      continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
      return TRUE;
    if (sent < 0) {
      self->socket_errno = errno;
      return FALSE;
    }
    self->out_start += (size_t)sent;
  }
  return TRUE;
}

/* ---- Why a certificate is refused ------------------------------------ */

static void
append_alternative_names (GString *text, X509 *certificate)
{
  GENERAL_NAMES *names =
      X509_get_ext_d2i (certificate, NID_subject_alt_name, NULL, NULL);

  for (int i = 0; i < sk_GENERAL_NAME_num (names); i++) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value (names, i);
    if (name->type == GEN_DNS) {
      g_string_append_printf (text, " %.*s",
          ASN1_STRING_length (name->d.dNSName),
          (const char *)ASN1_STRING_get0_data (name->d.dNSName));
    } else if (name->type == GEN_IPADD) {
      char address[INET6_ADDRSTRLEN];
      gboolean is_ipv4 = ASN1_STRING_length (name->d.iPAddress) == 4;
      if ((is_ipv4 || ASN1_STRING_length (name->d.iPAddress) == 16) &&
          inet_ntop (is_ipv4 ? AF_INET : AF_INET6,
              ASN1_STRING_get0_data (name->d.iPAddress), address,
              sizeof address) != NULL)
        g_string_append_printf (text, " %s", address);
    }
  }
  GENERAL_NAMES_free (names);
}

static void
append_date (GString *text, const ASN1_TIME *date)
{
  struct tm broken_down;

  if (ASN1_TIME_to_tm (date, &broken_down) == 1)
    g_string_append_printf (text, "%04d-%02d-%02d %02d:%02d UTC",
        broken_down.tm_year + 1900, broken_down.tm_mon + 1, broken_down.tm_mday,
        broken_down.tm_hour, broken_down.tm_min);
}

static void
append_name (GString *text, const X509_NAME *name)
{
  BIO *bio = BIO_new (BIO_s_mem ());
  char *bytes;

  if (bio == NULL)
    return;
  X509_NAME_print_ex (bio, name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
  long length = BIO_get_mem_data (bio, &bytes);
  g_string_append_len (text, bytes, length);
  BIO_free (bio);
}

static void
note_refusal (VigilMqttTlsStream *self, X509_STORE_CTX *context)
{
  X509 *certificate = X509_STORE_CTX_get_current_cert (context);
  int code = X509_STORE_CTX_get_error (context);
  g_autoptr (GString) text = g_string_new (NULL);

  self->verify_fault = vigil_mqtt_fault_from_verify (code);
  if (certificate == NULL)
    certificate = X509_STORE_CTX_get0_cert (context);
  /* Who signed it says all of a CA that we do not know. */
  if (X509_STORE_CTX_get_error_depth (context) > 0 &&
      self->verify_fault != VIGIL_MQTT_FAULT_UNKNOWN_CA) {
    g_string_append (text, "its CA ");
    append_name (text, X509_get_subject_name (certificate));
    g_string_append (text, ", ");
  }
  if (self->verify_fault == VIGIL_MQTT_FAULT_WRONG_HOST) {
    if (X509_get_ext_by_NID (certificate, NID_subject_alt_name, -1) < 0) {
      self->verify_fault = VIGIL_MQTT_FAULT_NO_ALTERNATIVE_NAME;
      g_string_append_printf (text, "for '%s'", self->host);
    } else {
      g_string_append_printf (text, "wanted '%s', it is for", self->host);
      append_alternative_names (text, certificate);
    }
  } else if (self->verify_fault == VIGIL_MQTT_FAULT_EXPIRED) {
    g_string_append (text, "on ");
    append_date (text, X509_get0_notAfter (certificate));
  } else if (self->verify_fault == VIGIL_MQTT_FAULT_NOT_YET_VALID) {
    g_string_append (text, "before ");
    append_date (text, X509_get0_notBefore (certificate));
  } else if (self->verify_fault == VIGIL_MQTT_FAULT_UNKNOWN_CA) {
    g_string_append (text, "signed by ");
    append_name (text, X509_get_issuer_name (certificate));
  } else {
    g_string_append (text, X509_verify_cert_error_string (code));
  }
  if (text->len >= sizeof self->verify_detail)
    g_string_overwrite (text, sizeof self->verify_detail - 4, "...");
  g_strlcpy (self->verify_detail, text->str, sizeof self->verify_detail);
}

static int
on_verify (int is_ok, X509_STORE_CTX *context)
{
  SSL *ssl = X509_STORE_CTX_get_ex_data (
      context, SSL_get_ex_data_X509_STORE_CTX_idx ());

  if (is_ok)
    return 1;
  /* A list is wanted of the CA that signed the broker's certificate; those
   * further up publish theirs elsewhere, or not at all. */
  if (X509_STORE_CTX_get_error (context) == X509_V_ERR_UNABLE_TO_GET_CRL &&
      X509_STORE_CTX_get_error_depth (context) > 0) {
    X509_STORE_CTX_set_error (context, X509_V_OK);
    return 1;
  }
  note_refusal (SSL_get_app_data (ssl), context);
  return 0;
}

/* ---- Errors ---------------------------------------------------------- */

static void
set_closed_error (VigilMqttTlsStream *self, GError **error)
{
  const int code = self->socket_errno;
  /* How the peer closed depends on what came first, its reset or our next
   * bytes: before anything was said that is not worth another line in the
   * log. */
  const gboolean is_plain_end =
      code == 0 ||
      (!self->is_established && (code == ECONNRESET || code == EPIPE));

  vigil_mqtt_fault_set_error (error,
      self->is_established ? VIGIL_MQTT_FAULT_LOST
                           : VIGIL_MQTT_FAULT_CLOSED_IN_HANDSHAKE,
      is_plain_end ? NULL : g_strerror (code));
}

static void
set_protocol_error (VigilMqttTlsStream *self, GError **error)
{
  unsigned long code = ERR_peek_error ();
  int reason = ERR_GET_REASON (code);
  VigilMqttFaultId id = ERR_GET_LIB (code) == ERR_LIB_SSL
                            ? vigil_mqtt_fault_from_reason (reason)
                            : VIGIL_MQTT_FAULT_TLS_OTHER;
  const unsigned char *types;
  const char *detail = ERR_reason_error_string (code);

  if (self->verify_fault != VIGIL_MQTT_FAULTS) {
    id = self->verify_fault;
    detail = self->verify_detail;
  } else if (id == VIGIL_MQTT_FAULT_HANDSHAKE &&
             !self->has_client_certificate &&
             SSL_get0_certificate_types (self->ssl, &types) > 0) {
    /* TLS 1.2 has no alert of its own for this. */
    id = VIGIL_MQTT_FAULT_CLIENT_REQUIRED;
  }
  vigil_mqtt_fault_set_error (error, id, detail);
}

/* OpenSSL forgets why it failed; whoever asks again gets the same words. */
static int
fail_again (const VigilMqttTlsStream *self, GError **error)
{
  if (error != NULL)
    *error = g_error_copy (self->failure);
  return -1;
}

/* What @result of an SSL call means: AGAIN, 0 (end of stream), or -1. */
static int
judge (VigilMqttTlsStream *self, int result, GError **error)
{
  int code = SSL_get_error (self->ssl, result);

  if (code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE) {
    ERR_clear_error ();
    return VIGIL_MQTT_TLS_AGAIN;
  }
  /* An alert of ours tells the broker why; it is ready in the buffer. */
  (void)flush_out (self);
  if (code == SSL_ERROR_ZERO_RETURN && self->is_established)
    return 0;
  if (code == SSL_ERROR_SSL)
    set_protocol_error (self, &self->failure);
  else
    set_closed_error (self, &self->failure);
  ERR_clear_error ();
  return fail_again (self, error);
}

/*
 * The socket takes nothing more. If the broker said why before it closed,
 * its alert is still there to be read (and is worth more than "connection
 * reset").
 */
static int
fail_send (VigilMqttTlsStream *self, GError **error)
{
  int send_errno = self->socket_errno;
  char byte;

  ERR_clear_error ();
  int result = self->is_established ? SSL_read (self->ssl, &byte, 1)
                                    : SSL_do_handshake (self->ssl);
  if (result <= 0 && SSL_get_error (self->ssl, result) == SSL_ERROR_SSL) {
    set_protocol_error (self, &self->failure);
  } else {
    self->socket_errno = send_errno;
    set_closed_error (self, &self->failure);
  }
  ERR_clear_error ();
  return fail_again (self, error);
}

/* ---- Public ---------------------------------------------------------- */

VigilMqttTlsStream *
vigil_mqtt_tls_stream_new (
    const VigilMqttTls *tls, int fd, const char *host, GError **error)
{
  g_return_val_if_fail (tls != NULL && host != NULL, NULL);

  g_autoptr (SSL) ssl = vigil_mqtt_tls_new_ssl (tls, host, error);
  if (ssl == NULL)
    return NULL;
  BIO *bio = BIO_new (get_bio_method ());
  if (bio == NULL) {
    vigil_mqtt_fault_set_error (error, VIGIL_MQTT_FAULT_LIBRARY, NULL);
    return NULL;
  }

  VigilMqttTlsStream *self = g_new0 (VigilMqttTlsStream, 1);
  BIO_set_data (bio, self);
  BIO_set_init (bio, 1);
  SSL_set_bio (ssl, bio, bio);
  SSL_set_app_data (ssl, self);
  if (vigil_mqtt_tls_is_verifying (tls))
    SSL_set_verify (ssl, SSL_VERIFY_PEER, on_verify);
  self->ssl = g_steal_pointer (&ssl);
  self->fd = fd;
  self->host = g_strdup (host);
  self->has_client_certificate = vigil_mqtt_tls_has_client_certificate (tls);
  self->verify_fault = VIGIL_MQTT_FAULTS;
  return self;
}

void
vigil_mqtt_tls_stream_free (VigilMqttTlsStream *self)
{
  if (self == NULL)
    return;
  SSL_free (self->ssl);
  g_clear_error (&self->failure);
  g_free (self->host);
  g_free (self);
}

int
vigil_mqtt_tls_stream_handshake (VigilMqttTlsStream *self, GError **error)
{
  g_return_val_if_fail (self != NULL, -1);

  if (self->failure != NULL)
    return fail_again (self, error);
  if (!flush_out (self))
    return fail_send (self, error);
  ERR_clear_error ();
  int result = SSL_do_handshake (self->ssl);
  if (result != 1) {
    result = judge (self, result, error);
    if (result != VIGIL_MQTT_TLS_AGAIN)
      return -1;
    if (!flush_out (self))
      return fail_send (self, error);
    return VIGIL_MQTT_TLS_AGAIN;
  }
  self->is_established = TRUE;
  if (!flush_out (self))
    return fail_send (self, error);
  return 1;
}

ssize_t
vigil_mqtt_tls_stream_read (
    VigilMqttTlsStream *self, void *buffer, size_t size, GError **error)
{
  g_return_val_if_fail (self != NULL && buffer != NULL && size > 0, -1);

  if (self->failure != NULL)
    return fail_again (self, error);
  ERR_clear_error ();
  self->write_needs_read = FALSE;
  int result = SSL_read (self->ssl, buffer, (int)MIN (size, RECORD_BYTES));
  if (result > 0)
    return result;
  return judge (self, result, error);
}

/* The bytes of the next record: where they lie in one piece, in place, else
 * gathered. */
static size_t
next_record (VigilMqttTlsStream *self, const struct iovec *vector, int count,
    int index, size_t offset, const unsigned char **ret_bytes)
{
  if (vector[index].iov_len - offset >= RECORD_BYTES) {
    *ret_bytes = (const unsigned char *)vector[index].iov_base + offset;
    return RECORD_BYTES;
  }
  size_t length = 0;
  for (int i = index; i < count && length < RECORD_BYTES; i++) {
    size_t part = MIN (vector[i].iov_len - offset, RECORD_BYTES - length);
    if (part > 0)
      memcpy (self->gathered + length,
          (const unsigned char *)vector[i].iov_base + offset, part);
    length += part;
    offset = 0;
  }
  *ret_bytes = self->gathered;
  return length;
}

ssize_t
vigil_mqtt_tls_stream_writev (VigilMqttTlsStream *self,
    const struct iovec *vector, int count, GError **error)
{
  g_return_val_if_fail (self != NULL && (vector != NULL || count == 0), -1);

  size_t taken = 0;
  size_t offset = 0;
  int index = 0;
  gboolean is_full = FALSE;

  if (self->failure != NULL)
    return fail_again (self, error);
  ERR_clear_error ();
  while (index < count && !is_full) {
    if (vigil_mqtt_tls_stream_get_pending (self) >= OUT_LIMIT_BYTES) {
      if (!flush_out (self))
        return fail_send (self, error);
      is_full = vigil_mqtt_tls_stream_get_pending (self) >= OUT_LIMIT_BYTES;
      continue;
    }
    const unsigned char *bytes;
    size_t length = next_record (self, vector, count, index, offset, &bytes);
    if (length == 0)
      break;
    int result = SSL_write (self->ssl, bytes, (int)length);
    if (result <= 0) {
      /* Only a handshake message that has not come whole stops it here:
       * nothing was encrypted, so nothing is owed. */
      if (judge (self, result, error) != VIGIL_MQTT_TLS_AGAIN)
        return -1;
      self->write_needs_read = TRUE;
      break;
    }
    taken += (size_t)result;
    offset += (size_t)result;
    while (index < count && offset >= vector[index].iov_len) {
      offset -= vector[index].iov_len;
      index++;
    }
  }
  if (!flush_out (self))
    return fail_send (self, error);
  return taken > 0 || count == 0 ? (ssize_t)taken : VIGIL_MQTT_TLS_AGAIN;
}

size_t
vigil_mqtt_tls_stream_get_pending (const VigilMqttTlsStream *self)
{
  g_return_val_if_fail (self != NULL, 0);
  return self->out_end - self->out_start;
}

short
vigil_mqtt_tls_stream_get_events (
    const VigilMqttTlsStream *self, gboolean wants_write)
{
  g_return_val_if_fail (self != NULL, 0);

  if (vigil_mqtt_tls_stream_get_pending (self) > 0)
    return POLLIN | POLLOUT;
  /* A socket that could be written does not bring a handshake on: polling
   * for it would spin as long as the broker says nothing. */
  return wants_write && self->is_established && !self->write_needs_read
             ? POLLIN | POLLOUT
             : POLLIN;
}

void
vigil_mqtt_tls_stream_close (VigilMqttTlsStream *self)
{
  g_return_if_fail (self != NULL);

  if (!self->is_established || self->failure != NULL)
    return;
  ERR_clear_error ();
  (void)SSL_shutdown (self->ssl);
  ERR_clear_error ();
  (void)flush_out (self);
}
