/** Where the load balancer takes the trigger's starts. */
export const STARTS_PORT = 80;

/** Where integratord listens on its instance (PORT). */
export const INSTANCE_PORT = 8080;

export const HTTPS_PORT = 443;
