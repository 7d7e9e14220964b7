variable "cluster_endpoint" {
  description = "The API server's host name: the first step's output of the same name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9.-]+\\.gke\\.goog$", var.cluster_endpoint))
    error_message = "cluster_endpoint must be the cluster's DNS endpoint, a host name that ends with .gke.goog."
  }
}
