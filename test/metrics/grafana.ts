import { z } from 'zod';

/**
 * The part of a Grafana dashboard that ours uses (Grafana's documentation, "Dashboard JSON model", schema version 39).
 * Strict, so that a misspelled property is an error.
 */
const datasource = z.strictObject({ type: z.literal('prometheus'), uid: z.literal(`\${datasource}`) });

const target = z.strictObject({
  refId: z.string().regex(/^[A-Z]$/),
  datasource,
  expr: z.string().min(1),
  legendFormat: z.string(),
});

const step = z.strictObject({ color: z.string(), value: z.number().nullable() });

const panel = z.strictObject({
  id: z.int().positive(),
  type: z.literal('timeseries'),
  title: z.string().min(1),
  datasource,
  gridPos: z
    .strictObject({
      x: z.int().min(0).max(23),
      y: z.int().min(0),
      w: z.int().min(1).max(24),
      h: z.int().positive(),
    })
    .refine(({ x, w }) => x + w <= 24, 'is wider than a dashboard'),
  fieldConfig: z.strictObject({
    defaults: z.strictObject({
      unit: z.enum(['short', 's', 'percentunit', 'bytes']),
      min: z.number(),
      custom: z.strictObject({
        fillOpacity: z.number().min(0).max(100),
        stacking: z.strictObject({ mode: z.enum(['none', 'normal', 'percent']), group: z.string() }),
        thresholdsStyle: z.strictObject({ mode: z.enum(['off', 'line', 'area']) }).optional(),
      }),
      thresholds: z.strictObject({ mode: z.enum(['absolute', 'percentage']), steps: z.array(step).min(1) }),
    }),
    overrides: z.array(z.never()),
  }),
  options: z.strictObject({
    legend: z.strictObject({
      displayMode: z.enum(['list', 'table', 'hidden']),
      placement: z.enum(['bottom', 'right']),
      showLegend: z.boolean(),
    }),
    tooltip: z.strictObject({ mode: z.enum(['single', 'multi', 'none']), sort: z.enum(['asc', 'desc', 'none']) }),
  }),
  targets: z.array(target).min(1),
});

const variable = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('datasource'),
    name: z.string(),
    label: z.string(),
    query: z.literal('prometheus'),
  }),
  z.strictObject({
    type: z.literal('query'),
    name: z.string(),
    label: z.string(),
    datasource,
    query: z.strictObject({ query: z.string(), refId: z.string() }),
    refresh: z.literal([0, 1, 2]),
    includeAll: z.boolean(),
    multi: z.boolean(),
    allValue: z.string(),
  }),
]);

export const grafanaDashboard = z.strictObject({
  title: z.string().min(1),
  uid: z.string().regex(/^[\w-]{1,40}$/),
  description: z.string(),
  tags: z.array(z.string()),
  schemaVersion: z.literal(39),
  version: z.int().positive(),
  editable: z.boolean(),
  timezone: z.enum(['browser', 'utc']),
  refresh: z.string().regex(/^\d+[smh]$/),
  time: z.strictObject({ from: z.string().startsWith('now-'), to: z.literal('now') }),
  templating: z.strictObject({ list: z.array(variable) }),
  annotations: z.strictObject({ list: z.array(z.never()) }),
  panels: z.array(panel).min(1),
});
