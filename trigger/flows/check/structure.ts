import { type Finding, WHOLE_FLOW } from './finding.ts';
import type { Action, Branch, Flow } from './flow.ts';
import {
  FLOW_LANGUAGE_VERSION,
  grammarOf,
  MAX_ACTIONS,
  MAX_IDENTIFIER_LENGTH,
  NOT_IDENTIFIERS,
  NOT_IN_IDENTIFIERS,
} from './language.ts';
import { reachable } from './reach.ts';

/** Names, transitions and branches: what Amazon Connect would refuse, or end a contact for without a word. */
export function checkStructure(flow: Flow): Finding[] {
  return [
    ...checkWhole(flow),
    ...flow.actions.flatMap((action) => [
      ...checkIdentifier(action, flow),
      ...checkTargets(action, flow),
      ...checkBranches(action),
    ]),
    ...checkReach(flow),
  ];
}

/** A branch, for people. */
export function branchName({ kind, on }: Pick<Branch, 'kind' | 'on'>): string {
  return kind === 'next' ? 'NextAction' : `the ${kind} ${on}`;
}

function checkWhole(flow: Flow): Finding[] {
  const findings: Finding[] = [];
  const add = (what: Finding['what'], why: string) => findings.push({ action: WHOLE_FLOW, what, why });
  if (flow.version !== FLOW_LANGUAGE_VERSION) {
    add('wrong-version', `Version is ${JSON.stringify(flow.version)}: it must be "${FLOW_LANGUAGE_VERSION}".`);
  }
  if (flow.actions.length > MAX_ACTIONS) {
    add('too-many-actions', `${flow.actions.length} actions exceed Connect's limit of ${MAX_ACTIONS}.`);
  }
  if (!flow.byIdentifier.has(flow.startAction)) {
    add('unresolved', `StartAction names ${JSON.stringify(flow.startAction)}, which is not an action of this flow.`);
  }
  return findings;
}

function checkIdentifier(action: Action, flow: Flow): Finding[] {
  const { identifier } = action;
  const fault = (why: string): Finding => ({ action: identifier, what: 'bad-identifier', why });
  return [
    ...(flow.byIdentifier.get(identifier) === action ? [] : [fault('Another action has the same Identifier.')]),
    ...(identifier.length <= MAX_IDENTIFIER_LENGTH
      ? []
      : [fault(`The Identifier is longer than ${MAX_IDENTIFIER_LENGTH} characters.`)]),
    ...(NOT_IDENTIFIERS.has(identifier) ? [fault('Connect does not accept this Identifier.')] : []),
    ...(NOT_IN_IDENTIFIERS.test(identifier)
      ? [fault('The Identifier contains one of % : ( \\ / ) = $ , ; [ ] { }.')]
      : []),
  ];
}

function checkTargets({ identifier, branches }: Action, flow: Flow): Finding[] {
  return branches
    .filter(({ to }) => !flow.byIdentifier.has(to))
    .map((branch) => ({
      action: identifier,
      what: 'unresolved',
      why: `${branchName(branch)} leads to ${JSON.stringify(branch.to)}, which is not an action of this flow.`,
    }));
}

function checkBranches(action: Action): Finding[] {
  const { identifier, branches } = action;
  const grammar = grammarOf(action);
  if (grammar === undefined) return [];
  const { error, conditions = [], ends } = grammar;
  const findings: Finding[] = [];
  const add = (what: Finding['what'], why: string) => findings.push({ action: identifier, what, why });
  const has = (kind: Branch['kind'], on: string) => branches.some((branch) => branch.kind === kind && branch.on === on);

  if (!ends && !has('next', '')) add('dead-end', 'It has no NextAction: the contact ends here.');
  const needed = [
    ...(error === undefined ? [] : [{ kind: 'error' as const, on: error }]),
    ...conditions.map((on) => ({ kind: 'condition' as const, on })),
  ];
  for (const branch of needed.filter(({ kind, on }) => !has(kind, on))) {
    add('branch-missing', `${branchName(branch)} leads nowhere: the contact would end there.`);
  }
  const next = branches.find(({ kind }) => kind === 'next')?.to;
  const standard = branches.find(({ on }) => on !== '' && on === grammar.default)?.to;
  if (grammar.default !== undefined && next !== standard) {
    add('default-differs', `NextAction and ${grammar.default} differ: the editor writes the same for both.`);
  }
  return findings;
}

function checkReach(flow: Flow): Finding[] {
  const reached = reachable(flow);
  return flow.actions
    .filter((action) => !reached.has(action))
    .map(({ identifier }) => ({
      action: identifier,
      what: 'unreachable',
      why: 'No path leads to it: wire or remove it.',
    }));
}
