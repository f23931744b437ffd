/** The load balancer's port for start requests. */
export const STARTS_PORT = 80;

/** integratord's port on an instance (PORT). */
export const INSTANCE_PORT = 8080;

export const HTTPS_PORT = 443;
