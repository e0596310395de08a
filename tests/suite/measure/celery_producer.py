"""Sends jobs as an application does: producer URL OPTIONS "queue priority count"…

OPTIONS are broker transport options as JSON. The priority "-" leaves it to Celery.
"""

import json
import sys

from celery import Celery

url, options, jobs = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3:]
app = Celery("producer", broker=url)
app.conf.broker_transport_options = options

with app.connection_for_write() as connection:
    for job in jobs:
        queue, priority, count = job.split()
        chosen = {} if priority == "-" else {"priority": int(priority)}
        for number in range(int(count)):
            app.send_task("jobs.nothing", args=[number], queue=queue, connection=connection, **chosen)
