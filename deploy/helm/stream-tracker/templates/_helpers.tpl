{{- define "stream-tracker.fullname" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "stream-tracker.secretName" -}}
{{- .Values.secrets.existingSecret | default (include "stream-tracker.fullname" .) }}
{{- end }}

{{- define "stream-tracker.hasPods" -}}
{{- if eq .Values.probe.placement "pod" }}yes{{ end }}
{{- end }}

{{/* Where Pods of one stream are: away from the release's Secret, which the orchestrator, who makes
Pods there, could otherwise mount into one. */}}
{{- define "stream-tracker.podNamespace" -}}
{{- .Values.probe.pod.namespace | default (printf "%s-%s-probes" .Release.Namespace .Release.Name | trunc 63 | trimAll "-") }}
{{- end }}

{{/* Of Pods of one stream: what a probe needs, and nothing else. */}}
{{- define "stream-tracker.podSecretName" -}}
{{- if .Values.probe.pod.existingSecret }}{{ .Values.probe.pod.existingSecret }}
{{- else if .Values.secrets.existingSecret }}{{ fail "probe.pod.existingSecret: is required with secrets.existingSecret: a Secret in the Pods' namespace, with the same PROBE_API_KEY" }}
{{- else }}{{ include "stream-tracker.fullname" . }}-probe
{{- end }}
{{- end }}

{{- define "stream-tracker.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* Labels by which Pods of one component are selected. Takes root and component. */}}
{{- define "stream-tracker.selector" -}}
app.kubernetes.io/name: stream-tracker
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* Labels of the workers' Pods, those of one stream included; these have no name label. */}}
{{- define "stream-tracker.workers" -}}
matchLabels:
  app.kubernetes.io/instance: {{ .Release.Name }}
matchExpressions:
  - {key: app.kubernetes.io/component, operator: In, values: [orchestrator, probe]}
{{- end }}

{{- define "stream-tracker.labels" -}}
{{ include "stream-tracker.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "stream-tracker.serviceAccount" -}}
{{- if .root.Values.serviceAccounts.create }}{{ include "stream-tracker.fullname" .root }}-{{ .component }}
{{- else }}{{ .root.Values.serviceAccounts.name }}
{{- end }}
{{- end }}

{{/* What every Pod's spec begins with. Takes root, component, values and token. */}}
{{- define "stream-tracker.podSpec" -}}
serviceAccountName: {{ include "stream-tracker.serviceAccount" . }}
automountServiceAccountToken: {{ .token | default false }}
# Services in the namespace would add variables, of which TEMPORAL_* mean something else to us.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
topologySpreadConstraints:
  {{- if .topologySpreadConstraints }}
  {{- toYaml .topologySpreadConstraints | nindent 2 }}
  {{- else }}
  {{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "stream-tracker.selector" $ | nindent 8 }}
  {{- end }}
  {{- end }}
{{- with .nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "stream-tracker.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* A change of settings or secrets starts new Pods. Takes root, config and podAnnotations. */}}
{{- define "stream-tracker.podAnnotations" -}}
checksum/config: {{ include (print .root.Template.BasePath "/" .config) .root | sha256sum }}
checksum/secret: {{ include (print .root.Template.BasePath "/secret.yaml") .root | sha256sum }}
{{- with .podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "stream-tracker.temporalSettings" -}}
TEMPORAL_ADDRESS: {{ required "temporal.address: HOST:PORT of your Temporal frontend is required" .Values.temporal.address | quote }}
TEMPORAL_NAMESPACE: {{ .Values.temporal.namespace | quote }}
{{- with .Values.temporal.tls }}
{{- if .enabled }}
TEMPORAL_TLS: "true"
{{- with .serverName }}
TEMPORAL_TLS_SERVER_NAME: {{ . | quote }}
{{- end }}
{{- if .ca }}
TEMPORAL_TLS_SERVER_CA_CERT_PATH: /etc/temporal-tls/ca.crt
{{- end }}
{{- if .clientCertificate }}
TEMPORAL_TLS_CLIENT_CERT_PATH: /etc/temporal-tls/tls.crt
TEMPORAL_TLS_CLIENT_KEY_PATH: /etc/temporal-tls/tls.key
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "stream-tracker.sharedSettings" -}}
{{ include "stream-tracker.temporalSettings" . }}
LOG_LEVEL: {{ .Values.logLevel | quote }}
ALLOW_PRIVATE_NETWORKS: {{ .Values.allowPrivateNetworks | quote }}
{{- with .Values.webhookPrivateHosts }}
WEBHOOK_PRIVATE_HOSTS: {{ join "," . | quote }}
{{- end }}
{{- end }}

{{/* Of every worker, Pods of one stream included. */}}
{{- define "stream-tracker.workerSettings" -}}
{{ include "stream-tracker.sharedSettings" . }}
CALLBACK_URL: http://{{ include "stream-tracker.fullname" . }}-internal{{ if include "stream-tracker.hasPods" . }}.{{ .Release.Namespace }}{{ end }}:{{ .Values.gateway.internalPort }}
HEALTH_HOST: 0.0.0.0
HEALTH_PORT: "8081"
DRAIN_SEC: {{ .Values.workers.drainSec | quote }}
{{- end }}

{{/* A value as a string; numbers as they were written, not as 1e+06. */}}
{{- define "stream-tracker.text" -}}
{{- if kindIs "float64" . }}{{ . | toJson | quote }}{{ else }}{{ . | toString | quote }}{{ end }}
{{- end }}

{{/* Settings of a user's map. */}}
{{- define "stream-tracker.givenSettings" -}}
{{- range $name, $value := . }}
{{ $name }}: {{ include "stream-tracker.text" $value }}
{{- end }}
{{- end }}

{{/* Whether a worker's CPU request says how many segments it measures at once. */}}
{{- define "stream-tracker.measuresOnRequest" -}}
{{- $settings := merge (dict) .root.Values.probe.settings .root.Values.workers.settings }}
{{- $isSet := or (hasKey $settings "PROBES_AT_ONCE") (has "PROBES_AT_ONCE" .root.Values.workers.secretSettings) }}
{{- if and (eq .component "probe") (dig "requests" "cpu" "" (.values.resources | default dict)) (not $isSet) }}yes{{ end }}
{{- end }}

{{/* Variables from the Secret. Takes root and names; TEMPORAL_API_KEY and PAYLOAD_KEYS may be missing there, and what
is optional. A name may
be VARIABLE=KEY, where the Secret has it under another name. */}}
{{- define "stream-tracker.secretVariables" -}}
{{- $root := .root }}
{{- range .names }}
- name: {{ splitList "=" . | first }}
  valueFrom:
    secretKeyRef: {name: {{ include "stream-tracker.secretName" $root }}, key: {{ splitList "=" . | last }}}
{{- end }}
{{- range concat (list "TEMPORAL_API_KEY" "PAYLOAD_KEYS") (.optional | default list) }}
- name: {{ . }}
  valueFrom:
    secretKeyRef: {name: {{ include "stream-tracker.secretName" $root }}, key: {{ . }}, optional: true}
{{- end }}
{{- end }}

{{- define "stream-tracker.hasTlsFiles" -}}
{{- with .Values.temporal.tls }}{{ if and .enabled .secret }}yes{{ end }}{{ end }}
{{- end }}

{{- define "stream-tracker.tlsVolumes" -}}
{{- if include "stream-tracker.hasTlsFiles" . }}
- name: temporal-tls
  secret: {secretName: {{ .Values.temporal.tls.secret }}, defaultMode: 292}
{{- end }}
{{- end }}

{{- define "stream-tracker.tlsMounts" -}}
{{- if include "stream-tracker.hasTlsFiles" . }}
- name: temporal-tls
  mountPath: /etc/temporal-tls
  readOnly: true
{{- end }}
{{- end }}

{{/* Volumes and mounts of every worker, for Pods of one stream as well. */}}
{{- define "stream-tracker.workerVolumes" -}}
{{- include "stream-tracker.tlsVolumes" . }}
{{- with .Values.workers.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "stream-tracker.workerMounts" -}}
{{- include "stream-tracker.tlsMounts" . }}
{{- with .Values.workers.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}
