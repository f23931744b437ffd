/** Marks the Auto Scaling group of a stack, with the stack's id: by it its instances may say that they are drained. */
export const FLEET_TAG = 'integratord:fleet';
