# Airflow with what the bundle runs on. The bundle itself is mounted, so a change of Dags or prompts needs no new image.
FROM apache/airflow:3.3.2-python3.12

# Complete and hashed: nothing is resolved while building, and nothing comes in that was not locked.
COPY requirements.txt /tmp/requirements.txt
RUN pip install --no-cache-dir --require-hashes --no-deps -r /tmp/requirements.txt

# A named volume takes over the owner of the folder it is mounted on.
RUN mkdir -p /opt/airflow/state /opt/airflow/logs

USER airflow
