// Grafana's types for what a dashboard's JSON may hold. The schema leaves the options of a panel,
// its fields and its queries open; here they are those of the panel's kind.

import type * as grafana from '@grafana/schema';
import type { Options as StatOptions } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type {
  FieldConfig as TableFields,
  Options as TableOptions,
} from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type {
  FieldConfig as SeriesFields,
  Options as SeriesOptions,
} from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

/** A type as JSON writes it: the values of an enum are plain text. */
type Json<T> = T extends string
  ? `${T}`
  : T extends number | boolean | null | undefined
    ? T
    : T extends Array<infer Item>
      ? Array<Json<Item>>
      : T extends object
        ? { [Name in keyof T]: Json<T[Name]> }
        : T;

/** Grafana publishes no types of its SQL and Prometheus queries: these are the parts used here. */
interface SqlQuery extends grafana.DataQuery {
  editorMode: 'code';
  format: 'table' | 'time_series';
  rawQuery: true;
  rawSql: string;
}

interface PrometheusQuery extends grafana.DataQuery {
  editorMode: 'code';
  expr: string;
  legendFormat: string;
}

interface PrometheusRange extends PrometheusQuery {
  range: true;
}

interface PrometheusInstant extends PrometheusQuery {
  instant: true;
  range: false;
}

type Fields<Custom> = Omit<Json<grafana.FieldConfigSource>, 'defaults'> & {
  defaults: Omit<Json<grafana.FieldConfig>, 'custom'> & { custom?: Json<Custom> };
};

type PanelOf<Kind extends string, Options, Custom, Prometheus = never> = Omit<
  Json<grafana.Panel>,
  'type' | 'options' | 'fieldConfig' | 'targets'
> & {
  type: Kind;
  options: Json<Options>;
  fieldConfig: Fields<Custom>;
  targets: Array<SqlQuery | Prometheus>;
};

type Panel =
  | PanelOf<'stat', StatOptions, never, PrometheusInstant>
  | PanelOf<'timeseries', SeriesOptions, SeriesFields, PrometheusRange>
  | PanelOf<'table', TableOptions, TableFields>;

type Annotation = Omit<Json<grafana.AnnotationQuery>, 'target'> & { target: SqlQuery };

export type Dashboard = Omit<Json<grafana.Dashboard>, 'panels' | 'annotations'> & {
  annotations: { list: Annotation[] };
  panels: Panel[];
};
