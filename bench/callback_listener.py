"""The peer of bench/streams.py: Google's streaming-pull client, a callback and a commit a message.

What its documentation shows first. The commit is the same as ours, for one message at a time, so
what differs is how messages come and how they are gathered.
"""

import os
import signal
import threading

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sheetsync.settings")
    django.setup()
    from django.conf import settings
    from google.cloud import pubsub_v1

    from cells.streams.batches import commit_batch
    from cells.streams.messages import Message

    project = settings.PUBSUB_PROJECT
    topic = f"projects/{project}/topics/{settings.PUBSUB_TOPIC}"
    subscription = f"projects/{project}/subscriptions/{settings.PUBSUB_SUBSCRIPTION}"
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())

    def callback(received: pubsub_v1.subscriber.message.Message) -> None:
        message = Message(
            topic,
            subscription,
            received.message_id,
            received.publish_time,
            received.data,
            dict(received.attributes),
            received.ordering_key,
        )
        commit_batch([message])
        received.ack()

    client = pubsub_v1.SubscriberClient()
    future = client.subscribe(subscription, callback=callback)
    print(f"listening to {subscription}", flush=True)
    stopping.wait()
    future.cancel()
    future.result(timeout=10)


main()
