import paho.mqtt.subscribe as subscribe
import json
import base64
import numpy as np
import cv2
def on_message(client, userdata, message):
    print("Receiving frame and metadata")
    msg = json.loads(message.payload)
    metadata = msg[0]
    print("Metadata:", metadata)
    output_file_name = "output_" + str(metadata['frame_id']) + ".jpg"
    print("Saving frame to {}".format(output_file_name))
    img = base64.b64decode(msg[1].encode("utf-8"))
    img = np.frombuffer(img, dtype="uint8")
    img = cv2.imdecode(img, cv2.IMREAD_UNCHANGED)
    cv2.imwrite(output_file_name, img)
subscribe.callback(on_message, "<TOPIC>", hostname="<MQTT_BROKER_ADDRESS>")
