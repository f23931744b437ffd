import { z } from 'zod';

/** What CloudWatch accepts (API reference, PutMetricData and MetricDatum); unknown fields are refused. */
const MAX_DATA = 1000;
const MAX_VALUES = 150;
const MAX_DIMENSIONS = 30;

const value = z
  .number()
  .min(-(2 ** 360))
  .max(2 ** 360);
const name = z.string().min(1).max(255);
const dimension = z.strictObject({ Name: name, Value: name.regex(/^[^:]/) });
const datum = z
  .strictObject({
    MetricName: name,
    Dimensions: z.array(dimension).max(MAX_DIMENSIONS).default([]),
    /** AWS JSON writes times as seconds since 1970. */
    Timestamp: z.number().positive(),
    Unit: z.enum(['Seconds', 'Milliseconds', 'Percent', 'Count', 'None']).default('None'),
    Value: value.optional(),
    Values: z.array(value).min(1).max(MAX_VALUES).optional(),
    Counts: z.array(z.number().positive()).max(MAX_VALUES).optional(),
  })
  .refine(({ Value, Values }) => (Value === undefined) !== (Values === undefined), 'needs either Value or Values')
  .refine(({ Values, Counts }) => !Counts || Counts.length === Values?.length, 'needs as many Counts as Values')
  .refine(({ Values = [] }) => new Set(Values).size === Values.length, 'lists a value twice');

export const putMetricData = z.strictObject({
  Namespace: name.regex(/^[^:]/),
  MetricData: z.array(datum).min(1).max(MAX_DATA),
});
export type Put = z.infer<typeof putMetricData>;
export type Datum = Put['MetricData'][number];
