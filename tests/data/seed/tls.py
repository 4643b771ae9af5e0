import paho.mqtt.subscribe as subscribe
def on_message(client, userdata, message):
    print("%s %s" % (message.topic, message.payload))
subscribe.callback(on_message, "<TOPIC>", hostname="<MQTT_BROKER_ADDRESS>", port=8883, tls={'ca_certs': "<CA_CERT>", 'certfile': "<CLIENT_CERT>", 'keyfile': "<CLIENT_KEY>"})
