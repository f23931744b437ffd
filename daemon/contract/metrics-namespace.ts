/** CloudWatch namespace of the daemon's metrics; their dimension Stack is the stack's name (METRICS_STACK). */
export const METRICS_NAMESPACE = 'Integratord';
