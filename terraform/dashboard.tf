# One page that answers: do people get answers, how fast, and what is it costing us.

locals {
  charts = [
    {
      title = "Requests a second, by status"
      query = "sum by (status) (rate(${local.metric.responses}{${local.pod}}[5m]))"
    },
    {
      title = "Answers a minute, by how they ended"
      query = "60 * sum by (status) (rate(${local.metric.answers}{${local.pod}}[5m]))"
    },
    {
      title = "First token, milliseconds, 95th percentile"
      query = "histogram_quantile(0.95, sum by (le) (rate(${local.metric.first_token}_bucket{${local.pod}}[15m])))"
    },
    {
      title = "Tokens written an hour"
      query = "3600 * sum(rate(${local.metric.output_tokens}_sum{${local.pod}}[1h]))"
    },
    {
      title = "Pods of each function"
      query = "count by (function) (label_replace(kubernetes_io:container_uptime{${local.pod},namespace_name=\"${local.namespace}\",container_name=\"function\"}, \"function\", \"$1\", \"pod_name\", \"(login|send-message|list-history|purge)-.*\"))"
    },
    {
      title = "Memory, by pod"
      query = "sum by (pod_name) (kubernetes_io:container_memory_used_bytes{${local.pod},namespace_name=\"${local.namespace}\",memory_type=\"non-evictable\"})"
    },
    {
      title = "Database connections, of ${var.database.max_connections}"
      query = "sum(avg_over_time(${local.backends}[5m]))"
    },
    {
      title = "Database CPU, used share"
      query = "avg(cloudsql_googleapis_com:database_cpu_utilization{monitored_resource=\"cloudsql_database\"})"
    },
    {
      title = "Database disk, used share"
      query = "max(cloudsql_googleapis_com:database_disk_utilization{monitored_resource=\"cloudsql_database\"})"
    },
    {
      title = "Purges in the last hour"
      query = "sum(increase(${local.metric.purges}{${local.pod}}[1h]))"
    },
    {
      title = "Days until the certificate expires"
      query = "min(${local.uptime}_time_until_ssl_cert_expires{${local.front}})"
    },
  ]
}

resource "google_monitoring_dashboard" "dashboard" {
  dashboard_json = jsonencode({
    displayName = "Nanoka"
    mosaicLayout = {
      columns = 48
      tiles = [
        for index, chart in local.charts : {
          xPos   = 24 * (index % 2)
          yPos   = 16 * floor(index / 2)
          width  = 24
          height = 16
          widget = {
            title = chart.title
            xyChart = {
              dataSets = [{
                plotType        = "LINE"
                targetAxis      = "Y1"
                timeSeriesQuery = { prometheusQuery = chart.query }
              }]
            }
          }
        }
      ]
    }
  })

  depends_on = [google_logging_metric.counters, google_logging_metric.distributions]
}
