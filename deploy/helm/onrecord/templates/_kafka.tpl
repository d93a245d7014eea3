{{/* "true" where the security protocol has the part in question, nothing elsewhere. */}}
{{- define "onrecord.kafka.sasl" -}}
{{- if hasPrefix "SASL" .Values.kafka.securityProtocol }}true{{ end -}}
{{- end -}}

{{- define "onrecord.kafka.tls" -}}
{{- if hasSuffix "SSL" .Values.kafka.securityProtocol }}true{{ end -}}
{{- end -}}

{{/* How the worker reaches the brokers, as environment variables. Secrets are named, never copied. */}}
{{- define "onrecord.kafka.env" -}}
{{- $kafka := .Values.kafka -}}
- name: ONRECORD_KAFKA_BOOTSTRAP
  value: {{ $kafka.bootstrap | quote }}
- name: ONRECORD_KAFKA_SECURITY_PROTOCOL
  value: {{ $kafka.securityProtocol }}
{{- if include "onrecord.kafka.sasl" . }}
- name: ONRECORD_KAFKA_SASL_MECHANISM
  value: {{ $kafka.sasl.mechanism }}
- name: ONRECORD_KAFKA_SASL_USERNAME
  {{- include "onrecord.fromSecret" (list $kafka.sasl.secret $kafka.sasl.usernameKey) | nindent 2 }}
- name: ONRECORD_KAFKA_SASL_PASSWORD
  {{- include "onrecord.fromSecret" (list $kafka.sasl.secret $kafka.sasl.passwordKey) | nindent 2 }}
{{- end }}
{{- if include "onrecord.kafka.tls" . }}
{{- with $kafka.tls }}
{{- if .caSecret }}
- name: ONRECORD_KAFKA_SSL_CAFILE
  value: /etc/onrecord/ca/{{ .caKey }}
{{- end }}
{{- if .clientSecret }}
- name: ONRECORD_KAFKA_SSL_CERTFILE
  value: /etc/onrecord/client/{{ .certKey }}
- name: ONRECORD_KAFKA_SSL_KEYFILE
  value: /etc/onrecord/client/{{ .keyKey }}
{{- if .keyPasswordKey }}
- name: ONRECORD_KAFKA_SSL_KEY_PASSWORD
  {{- include "onrecord.fromSecret" (list .clientSecret .keyPasswordKey) | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "onrecord.fromSecret" -}}
valueFrom:
  secretKeyRef:
    name: {{ index . 0 }}
    key: {{ index . 1 }}
{{- end -}}

{{/* The certificates, as the files that the variables above name. */}}
{{- define "onrecord.kafka.mounts" -}}
{{- if and (include "onrecord.kafka.tls" .) .Values.kafka.tls.caSecret }}
- name: ca
  mountPath: /etc/onrecord/ca
  readOnly: true
{{- end }}
{{- if and (include "onrecord.kafka.tls" .) .Values.kafka.tls.clientSecret }}
- name: client
  mountPath: /etc/onrecord/client
  readOnly: true
{{- end }}
{{- end -}}

{{/* 0440 (288): the pod's group may read them, and nobody may write. */}}
{{- define "onrecord.kafka.volumes" -}}
{{- if include "onrecord.kafka.tls" . }}
{{- with .Values.kafka.tls }}
{{- if .caSecret }}
- name: ca
  secret:
    secretName: {{ .caSecret }}
    defaultMode: 288
    items:
      - key: {{ .caKey }}
        path: {{ .caKey }}
{{- end }}
{{- if .clientSecret }}
- name: client
  secret:
    secretName: {{ .clientSecret }}
    defaultMode: 288
    items:
      - key: {{ .certKey }}
        path: {{ .certKey }}
      - key: {{ .keyKey }}
        path: {{ .keyKey }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The brokers' ports, as a JSON list: those that the values name, else those in the bootstrap addresses. */}}
{{- define "onrecord.kafka.ports" -}}
{{- $ports := .Values.networkPolicy.kafkaPorts -}}
{{- if not $ports -}}
{{- range splitList "," .Values.kafka.bootstrap -}}
{{- $ports = append $ports (trim . | splitList ":" | last | int) -}}
{{- end -}}
{{- end -}}
{{- $ports | uniq | toJson -}}
{{- end -}}
