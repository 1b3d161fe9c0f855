{{- define "guestbook.selector" -}}
app: guestbook
release: {{ .root.Release.Name }}
tier: {{ .tier }}
{{- end -}}
