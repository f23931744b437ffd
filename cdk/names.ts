/** Where integratord's metrics are, each with the dimension Stack: the stack's name (METRICS_STACK). */
export const METRICS_NAMESPACE = 'Integratord';

/** Marks the Auto Scaling group of a stack, with the stack's id: by it its instances may say that they are drained. */
export const FLEET_TAG = 'integratord:fleet';
