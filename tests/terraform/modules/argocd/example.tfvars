cluster_endpoint = "gke-0123456789abcdef-123456789012.asia-northeast1.gke.goog"
