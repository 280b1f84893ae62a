{{- define "trading-bot.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "trading-bot.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains (include "trading-bot.name" .) .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "trading-bot.name" .) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "trading-bot.selector" -}}
app.kubernetes.io/name: {{ include "trading-bot.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "trading-bot.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | quote }}
{{ include "trading-bot.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "trading-bot.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "trading-bot.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "trading-bot.image" -}}
{{- $tag := default .Chart.AppVersion (toString .Values.image.tag) }}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository $tag }}
{{- end }}
{{- end }}

{{/* As Kubernetes itself has it: what is called latest is another thing tomorrow. */}}
{{- define "trading-bot.pullPolicy" -}}
{{- $isMoving := and (eq (toString .Values.image.tag) "latest") (not .Values.image.digest) }}
{{- default (ternary "Always" "IfNotPresent" $isMoving) .Values.image.pullPolicy }}
{{- end }}

{{/* A number from a values file is a float: 1000000 must not become 1e+06. */}}
{{- define "trading-bot.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) }}{{ int64 . }}{{ else }}{{ . }}{{ end }}
{{- end }}

{{- define "trading-bot.isRealMoney" -}}
{{- $env := .Values.env }}
{{- $isOn := eq (toString $env.TRADING_ENABLED) "true" }}
{{- $isPlayMoney := and (ne (toString $env.BINGX_TESTNET) "false") (ne (toString $env.BINANCE_TESTNET) "false") }}
{{- if and $isOn (not $isPlayMoney) }}true{{ end }}
{{- end }}

{{/* Names under which the bot is asked for, besides those that env.ALLOWED_HOSTS adds. */}}
{{- define "trading-bot.hosts" -}}
{{- $name := include "trading-bot.fullname" . }}
{{- $hosts := list $name (printf "%s.%s" $name .Release.Namespace) (printf "%s.%s.svc" $name .Release.Namespace) (printf "%s.%s.svc.cluster.local" $name .Release.Namespace) }}
{{- if .Values.ingress.enabled }}
{{- $hosts = concat $hosts .Values.ingress.hosts }}
{{- end }}
{{- if .Values.env.ALLOWED_HOSTS }}
{{- $hosts = append $hosts .Values.env.ALLOWED_HOSTS }}
{{- end }}
{{- join "," $hosts }}
{{- end }}

{{- define "trading-bot.env" -}}
{{- $optional := list "telegram_api_id" "telegram_api_hash" "telegram_bot_token" "bingx_api_key" "bingx_secret_key" "binance_api_key" "binance_secret_key" "api_token" "tradingview_secret" "keys_password" }}
- name: LISTEN
  value: "0.0.0.0"
- name: ALLOWED_HOSTS
  value: {{ include "trading-bot.hosts" . | quote }}
{{- if not (hasKey .Values.env "API_OPEN") }}
# With play money, and not from outside, a token is a choice. Else the bot starts with api_token only.
- name: API_OPEN
  value: {{ ternary "false" "true" (or .Values.ingress.enabled (eq (include "trading-bot.isRealMoney" .) "true")) | quote }}
{{- end }}
{{- if .Values.profiles }}
- name: SIGNAL_PROFILES
  value: /profiles
{{- end }}
{{- range $name, $value := omit .Values.env "ALLOWED_HOSTS" }}
- name: {{ $name }}
  value: {{ include "trading-bot.text" $value | quote }}
{{- end }}
{{ include "trading-bot.databaseEnv" . }}
{{- range $key := $optional }}
- name: {{ upper $key }}
  valueFrom:
    secretKeyRef:
      name: {{ $.Values.secretName }}
      key: {{ $key }}
      optional: true
{{- end }}
{{- end }}

{{- define "trading-bot.databaseEnv" -}}
# So that an empty database_url ends with a sentence, and not with a file for each replica.
- name: DATABASE_KIND
  value: {{ .Values.database.kind }}
- name: DATABASE_URL
{{- if eq .Values.database.kind "sqlite" }}
  value: sqlite:////data/milobot.db
{{- else }}
  valueFrom:
    secretKeyRef:
      name: {{ .Values.secretName }}
      key: database_url
{{- end }}
{{- end }}

{{- define "trading-bot.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "trading-bot.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop:
    - ALL
{{- end }}

{{/* What cannot work is refused before anything is installed. */}}
{{- define "trading-bot.check" -}}
{{- range $name := list "TELEGRAM_API_ID" "TELEGRAM_API_HASH" "TELEGRAM_BOT_TOKEN" "BINGX_API_KEY" "BINGX_SECRET_KEY" "BINANCE_API_KEY" "BINANCE_SECRET_KEY" "API_TOKEN" "TRADINGVIEW_SECRET" "KEYS_PASSWORD" "DATABASE_URL" }}
{{- if hasKey $.Values.env $name }}
{{- fail (printf "env.%s would be readable by everybody who may look at the deployment: put it as %s into the secret %s" $name (lower $name) $.Values.secretName) }}
{{- end }}
{{- end }}
{{- if hasKey .Values.env "LISTEN" }}
{{- fail "env.LISTEN is 0.0.0.0 in a pod, probes come from outside of it: leave it out" }}
{{- end }}
{{- if hasKey .Values.env "METRICS_PORT" }}
{{- fail "env.METRICS_PORT is 9090 in a pod, where the service looks for it: leave it out, service.metricsPort names another port outside" }}
{{- end }}
{{- if hasKey .Values.env "DATABASE_KIND" }}
{{- fail "env.DATABASE_KIND comes from database.kind: leave it out, and set that" }}
{{- end }}
{{- if and .Values.profiles (hasKey .Values.env "SIGNAL_PROFILES") }}
{{- fail "env.SIGNAL_PROFILES is /profiles where profiles are given: leave one of the two out" }}
{{- end }}
{{- if eq .Values.database.kind "sqlite" }}
{{- if gt (int .Values.replicaCount) 1 }}
{{- fail (printf "replicaCount=%d needs PostgreSQL, a SQLite file has one process: set database.kind=postgresql, or replicaCount=1" (int .Values.replicaCount)) }}
{{- end }}
{{- if not .Values.persistence.enabled }}
{{- fail "database.kind=sqlite loses the ledger at each restart: set persistence.enabled=true, or database.kind=postgresql" }}
{{- end }}
{{- end }}
{{- if and .Values.persistence.enabled (gt (int .Values.replicaCount) 1) }}
{{- fail (printf "replicaCount=%d cannot share a volume, its candles are a SQLite file of one process: set persistence.enabled=false, or replicaCount=1" (int .Values.replicaCount)) }}
{{- end }}
{{- if and .Values.ingress.enabled (or (not .Values.ingress.hosts) (not .Values.ingress.tlsSecretName)) }}
{{- fail "ingress.enabled=true needs ingress.hosts and ingress.tlsSecretName: tokens and orders do not travel in the clear" }}
{{- end }}
{{- if and .Values.ingress.enabled .Values.networkPolicy.enabled (not .Values.networkPolicy.allowFrom) }}
{{- fail "ingress.enabled=true with a network policy for this namespace alone lets no ingress controller of another one in: name its namespace in networkPolicy.allowFrom, as docs/deployment.md shows" }}
{{- end }}
{{- if and (eq (toString .Values.env.API_OPEN) "true") (or .Values.ingress.enabled (eq (include "trading-bot.isRealMoney" .) "true")) }}
{{- fail "env.API_OPEN=true lets anybody trade, with real money or from outside: leave it out and put api_token into the secret" }}
{{- end }}
{{- end }}
