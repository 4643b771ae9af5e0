echo "Creating CA Key and Certificate"
openssl req -new -x509 -days 365 -extensions v3_ca -keyout ca.key -out ca.crt -subj "/CN=example.com"
echo "Creating Server key"
openssl genrsa -out server.key 2048
echo "Creating Server Certificate signing request"
openssl req -subj "/CN=<MQTT_BROKER_ADDRESS>" -out server.csr -key server.key -new
echo "Signing Server certificate"
openssl x509 -req -in server.csr -extfile <(echo "subjectAltName=IP:<MQTT_BROKER_ADDRESS>") -CA ca.crt -CAkey ca.key -CAcreateserial -out server.crt -days 365
echo "Creating Client key"
openssl genrsa -out client.key 2048
echo "Creating Client Certificate signing request"
openssl req -subj "/" -out client.csr -key client.key -new
echo "Signing Client certificate"
openssl x509 -req -in client.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out client.crt -days 365
mkdir -p client
mv client.* client/
mkdir -p server
mv server.* server/
