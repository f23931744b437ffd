import { BadRequest, parseStartRequest } from '../../../daemon/contract/start-request.ts';
import { urlFault } from '../../../daemon/results/webhook/webhook-url.ts';
import { readAttributes } from '../../attributes.ts';
import { TriggerFailure } from '../../failure.ts';
import { isJsonObject } from '../../json.ts';
import type { Finding } from './finding.ts';
import type { Action } from './flow.ts';
import { ATTRIBUTES, waysOut } from './language.ts';
import { reachable, reachableFrom } from './reach.ts';
import type { FlowWithTriggers } from './triggers.ts';

/** An attribute that a block sets. */
type Assignment = { readonly action: Action; readonly name: string; readonly value: unknown };

/** Attributes of which a call must not have both. */
const DESTINATIONS: readonly string[] = ['dg_callback', 'dgintegrator_webhook'];
const CONCERNS_TRIGGER = /^(dg_|dgintegrator_)/;
/** A reference, alone or within text, to what the flow knows at run time: `$.External.name`, `$['External']['name']`. */
const REFERENCE = /\$[.[]/;
/** In place of a reference, whose value is not known: every attribute takes it, if it takes any. */
const SOME_URL = 'https://example.com/';

const SOME_CONTACT_ID = '00000000-0000-0000-0000-000000000000';
const SOME_REGION = 'us-east-1';
const SOME_STREAM = {
  arn: `arn:aws:kinesisvideo:${SOME_REGION}:123456789012:stream/some-stream/1`,
  startFragmentNumber: '1',
};

/**
 * Reads the attributes that reach the trigger with its own code and the daemon's. An attribute stays with the contact
 * until another block sets it, for example to UNSET. Whether it is accepted depends on no other attribute, except for
 * the two destinations: so each attribute is followed by itself, and those two in pairs. To walk every path with all of
 * its attributes could take forever: 30 blocks that a path may skip make a billion sets of them.
 */
export function checkAttributes(flow: FlowWithTriggers): Finding[] {
  const assignments = [...reachable(flow)].flatMap(assignmentsIn);
  const refusals = new Map(assignments.map((one) => [one, refusalOf([one])]));
  const accepted = assignments.filter((one) => refusals.get(one) === undefined);
  const [destinations, others] = [accepted.filter(isDestination), accepted.filter((one) => !isDestination(one))];
  return [
    ...flow.actions.flatMap(oddities),
    ...[...refusals].flatMap(([one, refusal]) => refusedAlone(one, refusal, flow)),
    ...refusedPairs(
      destinations.filter(({ value }) => !isReference(value)),
      flow,
    ),
    ...refusedTogether(others, flow),
  ];
}

function assignmentsIn(action: Action): Assignment[] {
  return Object.entries(attributesOf(action)).map(([name, value]) => ({ action, name, value }));
}

/** The attributes for the trigger that the block gives to the current contact. */
function attributesOf(action: Action): Record<string, unknown> {
  const isCurrent = [undefined, 'Current'].includes(action.parameters['TargetContact'] as string | undefined);
  return isCurrent ? attributesIn(action) : {};
}

function attributesIn({ type, parameters: { Attributes: attributes } }: Action): Record<string, unknown> {
  // Without dg_ attributes the block is about something else.
  if (type !== ATTRIBUTES || !isJsonObject(attributes)) return {};
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => CONCERNS_TRIGGER.test(name)));
}

function oddities(action: Action): Finding[] {
  const finding = (why: string): Finding => ({ action: action.identifier, what: 'odd-attribute', why });
  const names = Object.keys(attributesIn(action));
  const assignments = assignmentsIn(action);
  return [
    ...(names.length > assignments.length
      ? [finding('TargetContact must be Current: the trigger reads only that contact.')]
      : []),
    ...assignments
      .filter(hasEmptyValue)
      .map(({ name }) => finding(`${name} has an empty value: spaces separate values.`)),
  ];
}

function hasEmptyValue({ name, value }: Assignment): boolean {
  try {
    return readAttributes({ [name]: value }, SOME_CONTACT_ID).withEmptyValue.length > 0;
  } catch (error) {
    if (error instanceof TriggerFailure) return false;
    throw error;
  }
}

function refusedAlone(one: Assignment, refusal: string | undefined, flow: FlowWithTriggers): Finding[] {
  const trigger = refusal && triggerAfter(one.action, [one.name], flow);
  if (!trigger) return [];
  const why = `${refusal} ${JSON.stringify(one.name)} reaches "${trigger.identifier}".`;
  if (!isReference(one.value)) return [refused(one.action, why)];
  return [{ action: one.action.identifier, what: 'odd-attribute', why: `Unless its value is UNSET: ${why}` }];
}

/** Two destinations of which a path sets one after the other, or which one block sets. */
function refusedPairs(destinations: readonly Assignment[], flow: FlowWithTriggers): Finding[] {
  const reach = new Map(destinations.map((first) => [first, carriedFrom(first.action, [first.name], flow)]));
  const isBefore = (first: Assignment, second: Assignment) =>
    first.action === second.action
      ? first.name < second.name
      : reach.get(first)?.has(second.action) && !sets(second.action, [first.name]);
  return destinations.flatMap((second) => {
    const trigger = triggerAfter(second.action, DESTINATIONS, flow);
    if (!trigger) return [];
    const firsts = destinations.filter((first) => first.name !== second.name && isBefore(first, second));
    return firsts.flatMap((first) => {
      const refusal = refusalOf([first, second]);
      const where = `"${first.action.identifier}" sets ${first.name}; both reach "${trigger.identifier}".`;
      return refusal ? [refused(second.action, `${refusal} ${where}`)] : [];
    });
  });
}

/** Attributes that are too many. Paths are not told apart here: no flow has hundreds of them for alternatives alone. */
function refusedTogether(others: readonly Assignment[], flow: FlowWithTriggers): Finding[] {
  if (refusalOf(others) === undefined) return [];
  return [...flow.triggers].flatMap((trigger) => {
    const refusal = refusalOf(others.filter(({ action, name }) => carriedFrom(action, [name], flow).has(trigger)));
    return refusal ? [refused(trigger, refusal)] : [];
  });
}

function refused({ identifier }: Action, why: string): Finding {
  return { action: identifier, what: 'refused-attribute', why };
}

/** A trigger that is invoked while the block's values of these attributes stand. */
function triggerAfter(action: Action, names: readonly string[], flow: FlowWithTriggers): Action | undefined {
  return [...carriedFrom(action, names, flow)].find((reached) => flow.triggers.has(reached));
}

/** The actions that a contact reaches after the block has set these attributes, before a block sets one of them again.
 *  That block's failure is left to `no-parameters`. */
function carriedFrom(action: Action, names: readonly string[], flow: FlowWithTriggers): Set<Action> {
  const successes = waysOut(action).filter(({ kind }) => kind !== 'error');
  return reachableFrom(flow, successes, waysOut, new Set(flow.actions.filter((other) => sets(other, names))));
}

function sets(action: Action, names: readonly string[]): boolean {
  const attributes = attributesOf(action);
  return names.some((name) => Object.hasOwn(attributes, name));
}

/** Why the trigger, or a daemon of any settings, refuses a start with these attributes; undefined if neither does. */
function refusalOf(assignments: readonly Assignment[]): string | undefined {
  const known = assignments.map(({ name, value }) => [name, isReference(value) ? SOME_URL : value]);
  try {
    const { withEmptyValue: _, ...requested } = readAttributes(Object.fromEntries(known), SOME_CONTACT_ID);
    const request = { contactId: SOME_CONTACT_ID, kvsStream: SOME_STREAM, ...requested };
    const webhook = parseStartRequest(JSON.stringify(request), SOME_REGION).results?.webhook;
    const fault = webhook && urlFault(webhook, false);
    return fault ? `The daemon refuses the start: the URL ${fault}.` : undefined;
  } catch (error) {
    if (error instanceof TriggerFailure) return `The trigger returns fail: ${error.message}`;
    // Some of the daemon's messages have several lines.
    if (error instanceof BadRequest) return `The daemon refuses the start: ${error.message.replaceAll(/\s+/g, ' ')}.`;
    throw error;
  }
}

function isDestination({ name }: Assignment): boolean {
  return DESTINATIONS.includes(name);
}

function isReference(value: unknown): boolean {
  return typeof value === 'string' && REFERENCE.test(value);
}
