/** A metric that a PromQL expression asks for, with what it asks of its labels. */
export interface Selector {
  readonly metric: string;
  readonly matchers: readonly { readonly label: string; readonly operator: string; readonly value: string }[];
}

/** The metrics of ours in an expression; those of anybody else's are left out. */
export function selectorsIn(expression: string): Selector[] {
  return [...expression.matchAll(/\b((?:integratord|process)_\w+)\s*(?:\{([^}]*)\})?/g)].map(
    ([, metric = '', inner]) => ({
      metric,
      matchers: [...(inner ?? '').matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g)].map(
        ([, label = '', operator = '', value = '']) => ({ label, operator, value }),
      ),
    }),
  );
}

/** The labels that an expression groups or joins by: `by (a, b)`, `on (a)`, `{{legend}}`. */
export function groupedBy(expression: string): string[] {
  return [...expression.matchAll(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g)].flatMap(([, labels = '']) =>
    labels.split(',').map((label) => label.trim()),
  );
}

/** Whether a series of /metrics, `name{label="value"}`, is one that the selector asks for, on any instance of any job. */
export function isSelected(series: string, { metric, matchers }: Selector): boolean {
  const [name, labels = ''] = series.split('{');
  if (name !== metric) return false;
  return matchers.every(({ label, operator, value }) => {
    if (PROMETHEUS_LABELS.includes(label)) return true;
    const found = new RegExp(`(?:^|,)${label}="([^"]*)"`).exec(labels)?.[1] ?? '';
    const isEqual = operator.includes('~') ? new RegExp(`^(?:${value})$`).test(found) : found === value;
    return isEqual !== operator.startsWith('!');
  });
}

/** Labels that Prometheus itself adds to what it scrapes. */
export const PROMETHEUS_LABELS: readonly string[] = ['job', 'instance'];
