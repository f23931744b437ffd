import type { Millis } from '../runtime/clock.ts';

/** A scheduled event that stops, reboots or disturbs the instance. */
export interface MaintenanceEvent {
  readonly eventId: string;
  /** Such as `system-reboot` or `instance-retirement`. */
  readonly code: string;
  readonly notBeforeEpochMs: Millis;
}

/**
 * The active events in the metadata value events/maintenance/scheduled. An event that is over or called off stays in the
 * list for a while, with another state or with a mark in its description, as DescribeInstanceStatus has it.
 */
export function maintenanceEventsIn(text: string): MaintenanceEvent[] {
  const events: unknown = text === '' ? [] : JSON.parse(text);
  if (!Array.isArray(events)) throw new Error(`events/maintenance/scheduled is not a list: ${text}`);
  return events.flatMap(activeEventIn);
}

/** Empty for an event that is not active or has no time. */
function activeEventIn(event: Partial<Record<string, unknown>>): MaintenanceEvent[] {
  const { EventId: eventId = '', Code: code = 'unknown', NotBefore, State = 'active', Description = '' } = event;
  const notBeforeEpochMs = Date.parse(String(NotBefore));
  if (State !== 'active' || /^\[(Completed|Cancell?ed)\]/i.test(String(Description))) return [];
  return Number.isNaN(notBeforeEpochMs) ? [] : [{ eventId: String(eventId), code: String(code), notBeforeEpochMs }];
}
