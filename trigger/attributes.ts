import { type DeepgramParams, LOCKED_PARAMS, lockedParamIn } from '../daemon/contract/deepgram-params.ts';
import type { RequestedResults } from '../daemon/contract/start-request.ts';
import { TriggerFailure } from './failure.ts';
import { isJsonObject } from './json.ts';

/** The part of a start request that contact attributes determine. */
type RequestedSession = {
  dgParams: DeepgramParams;
  enforceRealtime: boolean;
  /** Missing if the flow leaves it to the daemon where the call's events go. */
  results?: RequestedResults;
  /** Names of attributes with an empty value: legal, but rarely intended. */
  withEmptyValue: readonly string[];
};

/** Marks an attribute as a Deepgram parameter. */
const PREFIX = 'dg_';
/** Lets Deepgram recognize requests of the integration. */
const INTEGRATION_TAG = 'dg_amazonconnect';
/** A flow cannot delete an attribute, but it can set it to this. */
const UNSET = 'unset';
const CONTACT_ID_PLACEHOLDER = '{contact-id}';
/** For load tests: paces the audio as if it were live. */
const ENFORCE_REALTIME = 'dgintegrator_enforcerealtime';
/** Where integratord posts the call's events (daemon/results/README.md). */
const WEBHOOK = 'dgintegrator_webhook';
/** Attribute names come from the flow; a reason has room only for names of sensible length. */
const MAX_QUOTED_LENGTH = 100;

/** Reads a contact's `Attributes`, of any shape, by the grammar in trigger/README.md. Throws a TriggerFailure that names
 *  the attribute at fault. */
export function readAttributes(attributes: unknown, contactId: string): RequestedSession {
  const given = attributes ?? {};
  if (!isJsonObject(given)) {
    throw new TriggerFailure(
      'bad-attributes',
      "The event's Details.ContactData.Attributes is not a map: invoke this function from an Amazon Connect contact flow.",
    );
  }
  const params = new Map<string, string | readonly string[]>();
  const withEmptyValue: string[] = [];
  for (const [attribute, value] of Object.entries(given)) {
    if (!attribute.startsWith(PREFIX)) continue;
    const param = paramName(attribute);
    const text = trimmedText(attribute, value);
    if (text.toLowerCase() === UNSET) continue;
    const values = splitValues(text);
    if (values.includes('')) withEmptyValue.push(attribute);
    // An empty callback is none: a reference to an attribute that is not set is empty.
    if (param === 'callback' && text === '') continue;
    params.set(param, oneOrMany(values));
  }
  refuseLocked(Object.fromEntries(params));
  fillInCallback(params, contactId);
  addIntegrationTag(params);
  const enforceRealtime = given[ENFORCE_REALTIME] === 'true';
  const results = requestedResults(given[WEBHOOK], contactId);
  if (results?.webhook && params.has('callback')) refuseTwoDestinations();
  return { dgParams: Object.fromEntries(params), enforceRealtime, ...(results && { results }), withEmptyValue };
}

/** Splits an attribute's value at spaces. `\ ` is a space and `\\` a backslash within a value; any other backslash is
 *  literal. Returns at least one value, which may be empty (trigger/README.md). */
export function splitValues(text: string): string[] {
  const values: string[] = [];
  let value = '';
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    const next = text.charAt(at + 1);
    if (char === '\\' && (next === ' ' || next === '\\')) {
      value += next;
      at += 1;
    } else if (char === ' ') {
      values.push(value);
      value = '';
    } else {
      value += char;
    }
  }
  values.push(value);
  return values;
}

function paramName(attribute: string): string {
  const param = attribute.slice(PREFIX.length);
  // `__proto__` would set the prototype of an object that is copied carelessly.
  if (param !== '' && param !== '__proto__') return param;
  throw new TriggerFailure(
    'bad-attribute',
    `The contact attribute ${quoted(attribute)} does not name a Deepgram parameter: remove it or correct its name.`,
  );
}

function trimmedText(attribute: string, value: unknown): string {
  if (typeof value === 'string') return value.trim();
  throw new TriggerFailure(
    'bad-attribute',
    `The contact attribute ${quoted(attribute)} is not text: set it with a Set contact attributes block.`,
  );
}

function refuseLocked(params: DeepgramParams): void {
  const locked = lockedParamIn(params);
  if (locked === undefined) return;
  throw new TriggerFailure(
    'locked-parameter',
    `The contact attribute ${quoted(PREFIX + locked)} cannot be set: integratord sets ` +
      `${Object.keys(LOCKED_PARAMS).join(', ')} itself. Remove it from the flow, or set it to UNSET.`,
  );
}

function fillInCallback(params: Map<string, string | readonly string[]>, contactId: string): void {
  const callback = params.get('callback');
  if (callback === undefined) return;
  if (typeof callback !== 'string') {
    throw new TriggerFailure(
      'several-callbacks',
      `The contact attribute "${PREFIX}callback" has ${callback.length} values, because spaces separate values: ` +
        'set it to one URL, with %20 for a space.',
    );
  }
  // A function, because `$&` and the like are special in a replacement string.
  params.set(
    'callback',
    callback.replaceAll(CONTACT_ID_PLACEHOLDER, () => contactId),
  );
}

function requestedResults(value: unknown, contactId: string): RequestedResults | undefined {
  if (value === undefined || value === null) return undefined;
  const text = trimmedText(WEBHOOK, value);
  if (text === '') return undefined;
  if (text.toLowerCase() === UNSET) return { webhook: null };
  const webhook = text.replaceAll(CONTACT_ID_PLACEHOLDER, () => encodeURIComponent(contactId));
  const url = URL.parse(webhook);
  if (url?.protocol === 'https:' && !/\s/.test(webhook)) return { webhook };
  throw new TriggerFailure(
    'bad-webhook',
    `The contact attribute ${quoted(WEBHOOK)} is not an https URL: correct it, or set it to UNSET.`,
  );
}

function refuseTwoDestinations(): never {
  throw new TriggerFailure(
    'two-destinations',
    `The contact attributes "${PREFIX}callback" and ${quoted(WEBHOOK)} are both set, but results go to one place: ` +
      'remove one of them from the flow, or set it to UNSET.',
  );
}

function addIntegrationTag(params: Map<string, string | readonly string[]>): void {
  const tags = [params.get('tag') ?? []].flat();
  if (!tags.includes(INTEGRATION_TAG)) tags.push(INTEGRATION_TAG);
  params.set('tag', oneOrMany(tags));
}

function oneOrMany(values: readonly string[]): string | readonly string[] {
  const [only, ...others] = values;
  return only !== undefined && others.length === 0 ? only : values;
}

function quoted(attribute: string): string {
  return JSON.stringify(attribute.slice(0, MAX_QUOTED_LENGTH));
}
