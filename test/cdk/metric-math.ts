/** The value of each period that has one, by the second at which the period ends. */
export type Points = ReadonlyMap<number, number>;

/** An intermediate result; a number applies to every period. */
type Operand = Points | number;

const TOKEN = /\s*(?:(\d+(?:\.\d+)?)|([A-Za-z]\w*)|(>=|<=|==|!=|[-+*/(),<>]))/y;

const ARITHMETIC: Readonly<Record<string, (a: number, b: number) => number | undefined>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  // A division without a result gives no data point.
  '/': (a, b) => (b === 0 ? undefined : a / b),
};
const COMPARISON: Readonly<Record<string, (a: number, b: number) => number>> = {
  '>': (a, b) => Number(a > b),
  '>=': (a, b) => Number(a >= b),
  '<': (a, b) => Number(a < b),
  '<=': (a, b) => Number(a <= b),
  '==': (a, b) => Number(a === b),
  '!=': (a, b) => Number(a !== b),
};

/**
 * The part of CloudWatch's metric math that our alarms use (User Guide, "Using math expressions with CloudWatch metrics"):
 * arithmetic, comparisons, IF. In arithmetic, a value missing from one operand is 0; if both lack one, there is no value.
 * Throws on anything else, so that no alarm is tested against a guess.
 */
export function evaluate(expression: string, metrics: Readonly<Record<string, Points>>): Points {
  const parser = new Parser(tokensOf(expression), metrics);
  const result = parser.comparison();
  if (!parser.isAtEnd) throw new Error(`${expression}: has more after its end`);
  if (typeof result === 'number') throw new Error(`${expression}: is constant`);
  return result;
}

function tokensOf(expression: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  for (let at = 0; at < expression.trimEnd().length; at = TOKEN.lastIndex) {
    const token = TOKEN.exec(expression)
      ?.slice(1)
      .find((part) => part !== undefined);
    if (token === undefined) throw new Error(`${expression}: unsupported from character ${at} on`);
    tokens.push(token);
  }
  return tokens;
}

class Parser {
  readonly #tokens: string[];
  readonly #metrics: Readonly<Record<string, Points>>;

  constructor(tokens: string[], metrics: Readonly<Record<string, Points>>) {
    this.#tokens = tokens;
    this.#metrics = metrics;
  }

  get isAtEnd(): boolean {
    return this.#tokens.length === 0;
  }

  comparison(): Operand {
    return this.#binary(COMPARISON, () => this.#sum());
  }

  #sum(): Operand {
    const { '+': plus, '-': minus } = ARITHMETIC;
    return this.#binary({ '+': plus, '-': minus }, () => this.#product());
  }

  #product(): Operand {
    const { '*': times, '/': over } = ARITHMETIC;
    return this.#binary({ '*': times, '/': over }, () => this.#atom());
  }

  #binary(
    operators: Readonly<Record<string, ((a: number, b: number) => number | undefined) | undefined>>,
    operand: () => Operand,
  ): Operand {
    let left = operand();
    for (let apply = operators[this.#tokens[0] ?? '']; apply; apply = operators[this.#tokens[0] ?? '']) {
      this.#tokens.shift();
      left = combined(left, operand(), apply);
    }
    return left;
  }

  #atom(): Operand {
    const token = this.#tokens.shift() ?? '';
    if (/^\d/.test(token)) return Number(token);
    if (token === '(') return this.#closed(this.comparison());
    if (token === 'IF') return this.#if();
    const metric = this.#metrics[token];
    if (!metric) throw new Error(`${token}: neither a metric nor known here`);
    return metric;
  }

  #if(): Operand {
    this.#expect('(');
    const condition = this.comparison();
    this.#expect(',');
    const then = this.comparison();
    this.#expect(',');
    const otherwise = this.#closed(this.comparison());
    if (typeof condition === 'number') throw new Error('IF of a number is constant');
    const chosen = [...condition].map(([at, holds]) => [at, valueAt(holds === 0 ? otherwise : then, at)] as const);
    return new Map(chosen.filter((pair): pair is [number, number] => pair[1] !== undefined));
  }

  #closed(inner: Operand): Operand {
    this.#expect(')');
    return inner;
  }

  #expect(token: string): void {
    const found = this.#tokens.shift();
    if (found !== token) throw new Error(`${token} expected, not ${found}`);
  }
}

function combined(a: Operand, b: Operand, apply: (a: number, b: number) => number | undefined): Operand {
  if (typeof a === 'number' && typeof b === 'number') return apply(a, b) ?? Number.NaN;
  const times = new Set([a, b].flatMap((operand) => (typeof operand === 'number' ? [] : [...operand.keys()])));
  const values = [...times].map((at) => [at, apply(valueAt(a, at) ?? 0, valueAt(b, at) ?? 0)] as const);
  return new Map(values.filter((pair): pair is [number, number] => pair[1] !== undefined));
}

function valueAt(operand: Operand, at: number): number | undefined {
  return typeof operand === 'number' ? operand : operand.get(at);
}
