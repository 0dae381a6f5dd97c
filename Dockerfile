FROM python:3.13.9-slim-trixie AS packages
COPY requirements.txt /tmp/requirements.txt
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --require-hashes --requirement /tmp/requirements.txt

FROM python:3.13.9-slim-trixie
RUN useradd --system --uid 10001 --no-create-home hksz
COPY --from=packages /venv /venv
WORKDIR /app
COPY app.py pyproject.toml ./
COPY hksz_db hksz_db
COPY schemas schemas
COPY migrations migrations
COPY seed_data seed_data
# Every process would compile them anew otherwise.
RUN /venv/bin/python -m compileall -q --invalidation-mode unchecked-hash app.py hksz_db schemas migrations
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HKSZ_HOST=0.0.0.0
USER hksz
EXPOSE 8000
CMD ["python", "app.py", "serve"]
