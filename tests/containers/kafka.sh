#!/bin/sh
# Stands in for the start script of the image apache/kafka: KAFKA_SOME_SETTING becomes some.setting, the data folder is
# made ready once, and one node runs.
set -eu
settings=/tmp/server.properties
env | sed -n 's/^KAFKA_//p' | while IFS= read -r line; do
  name=$(printf '%s' "${line%%=*}" | tr 'A-Z_' 'a-z.')
  printf '%s=%s\n' "$name" "${line#*=}"
done > "$settings"
kafka() { java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp '/opt/kafka/libs/*' "$@"; }
kafka kafka.tools.StorageTool format --ignore-formatted --cluster-id onrecordStandInKafka00 --config "$settings"
exec java -Xmx512m -XX:+UseSerialGC -cp '/opt/kafka/libs/*' kafka.Kafka "$settings"
