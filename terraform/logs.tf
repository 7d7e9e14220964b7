# Logs live as long as conversations do, and what the dashboard and the alerts need is counted from them.

# Every log of the project but the audit trail, which Google keeps for 400 days and which names no person of ours.
resource "google_logging_project_bucket_config" "default" {
  project        = var.project_id
  location       = "global"
  bucket_id      = "_Default"
  retention_days = 7

  depends_on = [google_project_service.services]
}

locals {
  pods    = "resource.type=\"k8s_container\" resource.labels.namespace_name=\"${local.namespace}\""
  answers = "${local.pods} jsonPayload.message=~\"^answer[.]\""

  # Lines that are counted.
  log_counters = {
    responses = {
      description = "Answers of NGINX, by status"
      filter      = "${local.pods} resource.labels.container_name=\"nginx\" httpRequest.status>0"
      labels      = { status = "EXTRACT(httpRequest.status)" }
    }
    answers = {
      description = "Answers of the model, by how they ended"
      filter      = local.answers
      labels      = { status = "EXTRACT(jsonPayload.status)" }
    }
    purges = {
      description = "Purges that deleted (a dry run does not count)"
      filter      = "${local.pods} jsonPayload.message=\"purged\" jsonPayload.dry_run=false"
      labels      = {}
    }
  }

  # Numbers in lines whose distribution is kept.
  log_distributions = {
    first_token   = { field = "ttft_ms", unit = "ms", description = "From the request to the model's first token" }
    input_tokens  = { field = "input_tokens", unit = "1", description = "What the model read for an answer" }
    output_tokens = { field = "output_tokens", unit = "1", description = "What the model wrote" }
  }
}

resource "google_logging_metric" "counters" {
  for_each = local.log_counters

  name             = "${local.name}/${each.key}"
  description      = each.value.description
  filter           = each.value.filter
  label_extractors = each.value.labels

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"

    dynamic "labels" {
      for_each = each.value.labels
      content {
        key        = labels.key
        value_type = "STRING"
      }
    }
  }

  depends_on = [google_project_service.services]
}

resource "google_logging_metric" "distributions" {
  for_each = local.log_distributions

  name            = "${local.name}/${each.key}"
  description     = each.value.description
  filter          = "${local.answers} jsonPayload.${each.value.field}>=0"
  value_extractor = "EXTRACT(jsonPayload.${each.value.field})"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = each.value.unit
  }

  # From 1 to about a million, each limit a fifth above the one before.
  bucket_options {
    exponential_buckets {
      num_finite_buckets = 76
      growth_factor      = 1.2
      scale              = 1
    }
  }

  depends_on = [google_project_service.services]
}
