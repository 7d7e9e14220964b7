# What somebody is told about, each with what to do. Conditions are PromQL, the language of the dashboard too.

resource "google_monitoring_notification_channel" "email" {
  display_name = "Nanoka"
  type         = "email"
  labels       = { email_address = var.alert_email }

  depends_on = [google_project_service.services]
}

# From outside, as people come: name, certificate and NGINX. It wakes no function.
resource "google_monitoring_uptime_check_config" "front" {
  display_name       = "Nanoka's front"
  period             = "300s"
  timeout            = "10s"
  selected_regions   = ["ASIA_PACIFIC", "EUROPE", "USA_OREGON"]
  log_check_failures = true

  monitored_resource {
    type = "uptime_url"
    labels = {
      project_id = var.project_id
      host       = var.domain
    }
  }

  http_check {
    path         = "/healthz"
    port         = 443
    use_ssl      = true
    validate_ssl = true
  }

  depends_on = [google_project_service.services]
}

locals {
  # A log-based metric's name as PromQL writes it.
  metric = {
    for name in concat(keys(local.log_counters), keys(local.log_distributions)) :
    name => "logging_googleapis_com:user_${local.name}_${name}"
  }
  uptime   = "monitoring_googleapis_com:uptime_check"
  front    = "monitored_resource=\"uptime_url\",check_id=\"${google_monitoring_uptime_check_config.front.uptime_check_id}\""
  pod      = "monitored_resource=\"k8s_container\""
  backends = "cloudsql_googleapis_com:database_postgresql_num_backends{monitored_resource=\"cloudsql_database\"}"

  alerts = {
    purge = {
      title = "Purge has not run for three hours"
      # An hourly job: nothing at all in three hours is a failure, also if it never ran (hence the vector).
      query   = "(sum(increase(${local.metric.purges}{${local.pod}}[3h])) or vector(0)) < 0.5"
      lasting = "600s"
      advice  = <<-EOT
        Nobody sees anything older than seven days meanwhile: every read filters by age. Look at
        `kubectl -n nanoka get cronjob,job` and at purge's logs, then run it by hand:
        `kubectl -n nanoka create job --from=cronjob/purge purge-$(date +%s)`.
      EOT
    }
    certificate = {
      title   = "Less than a third of the certificate's life is left"
      query   = "min(${local.uptime}_time_until_ssl_cert_expires{${local.front}}) < ${floor(var.certificate_days / 3)}"
      lasting = "21600s"
      advice  = <<-EOT
        cert-manager should have renewed it. `kubectl -n nanoka describe certificate,certificaterequest,order,challenge`
        says what it waits for; most often the zone is not delegated any more.
      EOT
    }
    streams = {
      title   = "Answers end without finish"
      query   = "sum(increase(${local.metric.answers}{${local.pod},status=~\"failed|interrupted\"}[15m])) > 3 and sum(increase(${local.metric.answers}{${local.pod},status=~\"failed|interrupted\"}[15m])) / sum(increase(${local.metric.answers}{${local.pod}}[15m])) > 0.05"
      lasting = "0s"
      advice  = <<-EOT
        More than one answer in twenty failed or was interrupted. What was written is kept and can be retried. Failed:
        the model refused or was out of reach, the log line names the error's type. Interrupted: pods died, see
        `kubectl -n nanoka get events`.
      EOT
    }
    restarts = {
      title = "A container died"
      # What dies at once says nothing of the answers that it wrote, so that the alert above does not know of them.
      query   = "sum by (pod_name, container_name) (increase(kubernetes_io:container_restart_count{${local.pod},namespace_name=\"${local.namespace}\"}[15m])) > 0"
      lasting = "0s"
      advice  = <<-EOT
        Kubernetes has started it again. Answers that it wrote are shown as interrupted and can be retried. Why it died is in
        `kubectl -n nanoka describe pod`, Last State: OOMKilled means that its memory's limit in `knative/` is too low. Its
        last words: `kubectl -n nanoka logs --previous`, or Cloud Logging if the pod has gone since.
      EOT
    }
    connections = {
      title   = "The database has used 80 % of its connections"
      query   = "sum(avg_over_time(${local.backends}[5m])) > ${0.8 * var.database.max_connections}"
      lasting = "300s"
      advice  = <<-EOT
        max-scale × DATABASE_POOL_SIZE bounds what the functions take; what is above that is someone with psql, or an
        old revision that still drains. For more people raise `database.tier` and `max_connections` together.
      EOT
    }
    errors = {
      title   = "More than 1 % of requests fail with 5xx"
      query   = "sum(increase(${local.metric.responses}{${local.pod},status=~\"5..\"}[10m])) > 5 and sum(increase(${local.metric.responses}{${local.pod},status=~\"5..\"}[10m])) / sum(increase(${local.metric.responses}{${local.pod}}[10m])) > 0.01"
      lasting = "0s"
      advice  = <<-EOT
        502 and 503 come from NGINX when a function is not there, 504 when it did not answer in time. The guide says how
        to read the logs of one request, and how to roll back.
      EOT
    }
    unreachable = {
      title   = "The front does not answer"
      query   = "avg(avg_over_time(${local.uptime}_check_passed{${local.front}}[10m])) < 0.5"
      lasting = "300s"
      advice  = <<-EOT
        Seen from three continents. `kubectl -n nanoka get pods,svc`, then the name: `dig +trace`, then the certificate.
      EOT
    }
  }
}

resource "google_monitoring_alert_policy" "alerts" {
  for_each = local.alerts

  display_name          = "Nanoka: ${each.value.title}"
  combiner              = "OR"
  notification_channels = [google_monitoring_notification_channel.email.id]

  conditions {
    display_name = each.value.title

    condition_prometheus_query_language {
      query               = each.value.query
      duration            = each.value.lasting
      evaluation_interval = "60s"

      # The metrics of a project that nobody has used yet do not exist.
      disable_metric_validation = true
    }
  }

  alert_strategy {
    auto_close = "86400s"
  }

  documentation {
    subject   = "Nanoka: ${each.value.title}"
    content   = each.value.advice
    mime_type = "text/markdown"
  }

  depends_on = [google_logging_metric.counters]
}
