package cmd

func authPart() part {
	return part{unserved: []unserved{
		{"auth", "MICRO_AUTH", "", noAuth},
		{"auth_id", "MICRO_AUTH_ID", "", noAuth},
		{"auth_secret", "MICRO_AUTH_SECRET", "", noAuth},
		{"auth_namespace", "MICRO_AUTH_NAMESPACE", "", noAuth},
		{"auth_public_key", "MICRO_AUTH_PUBLIC_KEY", "", noAuth},
		{"auth_private_key", "MICRO_AUTH_PRIVATE_KEY", "", noAuth},
		{"auth_provider", "MICRO_AUTH_PROVIDER", "", noAuth},
		{"auth_provider_client_id", "MICRO_AUTH_PROVIDER_CLIENT_ID", "", noAuth},
		{"auth_provider_client_secret", "MICRO_AUTH_PROVIDER_CLIENT_SECRET", "", noAuth},
		{"auth_provider_endpoint", "MICRO_AUTH_PROVIDER_ENDPOINT", "", noAuth},
		{"auth_provider_redirect", "MICRO_AUTH_PROVIDER_REDIRECT", "", noAuth},
		{"auth_provider_scope", "MICRO_AUTH_PROVIDER_SCOPE", "", noAuth},
	}}
}

const noAuth = "nobody is asked for credentials, and nobody is refused: there is no auth in this release"
