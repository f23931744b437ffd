/** Tag of the Auto Scaling group, with the stack's id: instances may complete lifecycle actions only of their own group. */
export const FLEET_TAG = 'integratord:fleet';
