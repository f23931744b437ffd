/** The CloudWatch namespace of the daemon's metrics, each with the dimension Stack: the stack's name (METRICS_STACK). */
export const METRICS_NAMESPACE = 'Integratord';
