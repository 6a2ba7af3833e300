# Airflow with this plugin: the image of docker-compose.yml.
FROM apache/airflow:3.3.2 AS wheel
COPY --chown=airflow:root pyproject.toml README.md LICENSE requirements.txt /build/
COPY --chown=airflow:root plugins/mosip_crvs /build/plugins/mosip_crvs
WORKDIR /build
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /build/dist .

FROM apache/airflow:3.3.2
COPY requirements.txt /tmp/requirements.txt
COPY --from=wheel /build/dist /tmp/dist
RUN pip install --no-cache-dir --require-hashes -r /tmp/requirements.txt \
    && pip install --no-cache-dir --no-deps /tmp/dist/*.whl
# The wheel brings the package and its connection types; the folder brings the file that Airflow loads as a plugin.
COPY --chown=airflow:root plugins/.airflowignore plugins/mosip_crvs_plugin.py /opt/airflow/plugins/
COPY --chown=airflow:root dags /opt/airflow/dags
COPY --chown=airflow:root include /opt/airflow/include
