variable "project_id" {
  description = "The Google Cloud project that holds nothing but Nanoka."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id must be a project ID such as my-nanoka: 6 to 30 lower-case letters, digits and hyphens."
  }
}

variable "project_number" {
  description = "The same project's number; workload identity principals and budgets are named by it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{6,20}$", var.project_number))
    error_message = "project_number must be the digits that `gcloud projects describe` prints as projectNumber."
  }
}

variable "region" {
  description = "Where the cluster, the database, the images and the address live."
  type        = string
  default     = "asia-northeast1"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region must be a Google Cloud region such as asia-northeast1 (not a zone)."
  }
}

variable "model_location" {
  description = <<-EOT
    Where Vertex AI may read and write the chat. Gemini 3 is offered in `global`, `us` and `eu`, and in hardly any region:
    `global` lets Google choose the place of each answer.
  EOT
  type        = string
  default     = "global"
  nullable    = false

  validation {
    condition     = can(regex("^(global|us|eu|[a-z]+-[a-z]+[0-9]+)$", var.model_location))
    error_message = "model_location must be global, us, eu or a region such as asia-northeast1."
  }
}

variable "domain" {
  description = "The host name that people open; its DNS zone is made here and delegated to by its parent."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}$", var.domain))
    error_message = "domain must be a lower-case host name without scheme and closing dot, such as chat.example.com."
  }
}

variable "alert_email" {
  description = "Who is told when something is wrong."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", var.alert_email))
    error_message = "alert_email must be an e-mail address."
  }
}

variable "budget" {
  description = <<-EOT
    A monthly budget for the project: mails at 50, 90 and 100 % of `amount`, and when the forecast passes it. It
    only tells, it stops nothing. Null for none: making one needs a role on the billing account.
  EOT
  type = object({
    billing_account = string
    amount          = optional(number, 300)
    currency        = optional(string, "USD")
  })
  default = null

  validation {
    condition     = var.budget == null || can(regex("^([0-9A-F]{6}-){2}[0-9A-F]{6}$", var.budget.billing_account))
    error_message = "budget.billing_account must look like 012345-6789AB-CDEF01."
  }
  validation {
    condition     = var.budget == null || try(var.budget.amount >= 1 && floor(var.budget.amount) == var.budget.amount, false)
    error_message = "budget.amount must be a whole number of at least 1."
  }
  validation {
    condition     = var.budget == null || can(regex("^[A-Z]{3}$", var.budget.currency))
    error_message = "budget.currency must be the billing account's own currency, as three letters."
  }
}

variable "database" {
  description = <<-EOT
    Cloud SQL's size. `max_connections` must fit the tier's memory (about 10 MB a connection) and stay above the sum
    of max-scale × DATABASE_POOL_SIZE over all functions, which a test checks. `backup_days` is also how much longer
    than seven days a deleted message may survive, in backups alone.
  EOT
  type = object({
    tier              = optional(string, "db-g1-small")
    max_connections   = optional(number, 100)
    highly_available  = optional(bool, false)
    disk_size_gb      = optional(number, 10)
    disk_limit_gb     = optional(number, 100)
    backup_days       = optional(number, 3)
    maintenance_track = optional(string, "stable")
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(regex("^db-(f1-micro|g1-small|custom-[0-9]+-[0-9]+|perf-optimized-N-[0-9]+)$", var.database.tier))
    error_message = "database.tier must be a Cloud SQL for PostgreSQL tier such as db-g1-small or db-custom-2-7680."
  }
  validation {
    condition     = var.database.max_connections >= 25 && var.database.max_connections <= 5000
    error_message = "database.max_connections must be from 25 to 5000."
  }
  validation {
    condition     = var.database.disk_size_gb >= 10 && var.database.disk_limit_gb >= var.database.disk_size_gb
    error_message = "database.disk_size_gb must be at least 10, and disk_limit_gb at least as large."
  }
  validation {
    condition     = var.database.backup_days >= 1 && var.database.backup_days <= 7
    error_message = "database.backup_days must be from 1 to 7."
  }
  validation {
    condition     = contains(["canary", "stable", "week5"], var.database.maintenance_track)
    error_message = "database.maintenance_track must be canary, stable or week5."
  }
}

variable "github_repository" {
  description = <<-EOT
    The repository whose workflows may push images and plan, by its number, which nobody else can ever take over
    (`gh api repos/OWNER/NAME --jq .id`), and the bucket of this state, which the plan reads. Null for no such identity.
  EOT
  type = object({
    id           = string
    branch       = optional(string, "main")
    state_bucket = string
  })
  default = null

  validation {
    condition     = var.github_repository == null || can(regex("^[0-9]+$", var.github_repository.id))
    error_message = "github_repository.id must be the repository's number, not its name."
  }
}

variable "certificate_days" {
  description = "How long a certificate lives when it is new; an alert tells when less than a third of it is left."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = var.certificate_days >= 6 && var.certificate_days <= 398
    error_message = "certificate_days must be from 6 to 398."
  }
}

variable "deletion_protection" {
  description = "Whether the cluster and the database refuse to be destroyed."
  type        = bool
  default     = true
  nullable    = false
}
