"""The kinds of panels our boards are made of; each must say its question, unit and source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import barchart, bargauge, common, stat, table, timeseries, trend
from grafana_foundation_sdk.builders import dashboard as dashboard_builders
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models

from grafana.boards import palette
from grafana.boards.query import POSTGRES, query

Builder = stat.Panel | timeseries.Panel | trend.Panel | barchart.Panel | bargauge.Panel | table.Panel
Property = tuple[str, Any]

MONEY = "short"  # Grafana's units cannot follow a variable: the currency's code is in the title
EXACT = "locale"
COUNT = "locale"
RATIO = "percentunit"
SECONDS = "s"
DAYS = "suffix: d"
DAY_AXIS = "time:YYYY-MM-DD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A panel with the name that its id is made from."""

    slug: str
    width: int
    height: int
    builder: Builder


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """How one column of a table or one series of a picture looks."""

    name: str
    properties: tuple[Property, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a panel must say of itself."""

    slug: str
    title: str
    question: str
    source: str
    unit: str
    width: int
    height: int
    sql: str = ""  # of the query, where it is not the panel's own


def kpi(
    slug: str,
    title: str,
    *,
    question: str,
    unit: str,
    source: str,
    steps: Sequence[palette.Step] = palette.NEUTRAL,
    decimals: int | None = None,
    sparkline: bool = False,
    text: bool = False,
    mappings: Sequence[models.ValueMapping] = (),
    link: tuple[str, str] | None = None,
    time_series: bool = False,
    width: int = 4,
    empty: str = "none",
    sql: str = "",
) -> Panel:
    """One figure; with `sparkline` its query gives a row a day (or a time series) and the last row counts."""
    about = About(
        slug=slug, title=title, question=question, source=source, unit=unit, width=width, height=3, sql=sql
    )
    panel = stat.Panel().thresholds(palette.thresholds(tuple(steps)))
    panel.color_mode(common_models.BigValueColorMode.VALUE).no_value(empty)
    panel.graph_mode(
        common_models.BigValueGraphMode.AREA if sparkline else common_models.BigValueGraphMode.NONE
    )
    panel.reduce_options(_last(fields="/.*/" if text else ""))
    if decimals is not None:
        panel.decimals(decimals)
    if mappings:
        panel.mappings(list(mappings))
    if link:
        panel.data_links([_link(*link)])
    return _finish(about, panel, time_series=time_series)


def data_age(board: str, *, width: int = 4) -> Panel:
    """How old the figures are: on every board, and in the page's head."""
    return kpi(
        f"{board}/data_as_of",
        "Data as of",
        question="How old is what I see? The age of the partition furthest behind; a quiet night is fresh.",
        unit=SECONDS,
        source="reporting.freshness, live",
        steps=palette.DATA_AGE,
        decimals=0,
        empty="catching up",
        sql="data_as_of",
        width=width,
    )


def trend_of_days(
    slug: str,
    title: str,
    *,
    question: str,
    unit: str,
    source: str,
    series: Sequence[Column],
    steps: Sequence[palette.Step] = palette.NEUTRAL,
    stepped: bool = False,
    width: int = 12,
    height: int = 8,
) -> Panel:
    """Lines over business days: the query's first column is `day`, the book's day in epoch ms."""
    about = About(
        slug=slug, title=title, question=question, source=source, unit=unit, width=width, height=height
    )
    panel = trend.Panel().x_field("day").line_width(2).fill_opacity(6).legend(_legend()).tooltip(_tooltip())
    panel.show_points(common_models.VisibilityMode.NEVER).thresholds(palette.thresholds(tuple(steps)))
    shape = common_models.LineInterpolation.STEP_AFTER if stepped else common_models.LineInterpolation.LINEAR
    panel.line_interpolation(shape).axis_soft_min(0)
    if len(steps) > 1:
        mode = common_models.GraphThresholdsStyleMode.DASHED
        panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(mode))
    return _finish(about, panel, [Column(name="day", properties=(("unit", DAY_AXIS),)), *series])


def live(
    slug: str, title: str, *, question: str, unit: str, source: str, series: Sequence[Column], width: int = 12
) -> Panel:
    """Bars over the dashboard's range, by the clock on the wall."""
    about = About(slug=slug, title=title, question=question, source=source, unit=unit, width=width, height=8)
    panel = timeseries.Panel().draw_style(common_models.GraphDrawStyle.BARS).fill_opacity(70).line_width(0)
    panel.legend(_legend()).tooltip(_tooltip()).axis_soft_min(0).interval("1m")
    return _finish(about, panel, series, time_series=True)


def ranking(
    slug: str,
    title: str,
    *,
    question: str,
    unit: str,
    source: str,
    colors: dict[str, str],
    width: int = 8,
    height: int = 8,
) -> Panel:
    """Horizontal gauges, one for each column of the query's single row."""
    about = About(
        slug=slug, title=title, question=question, source=source, unit=unit, width=width, height=height
    )
    panel = bargauge.Panel().orientation(common_models.VizOrientation.HORIZONTAL).min(0)
    panel.display_mode(common_models.BarGaugeDisplayMode.BASIC).reduce_options(_last())
    panel.value_mode(common_models.BarGaugeValueMode.TEXT).show_unfilled(show_unfilled=True)
    panel.thresholds(palette.thresholds(palette.MONEY))
    columns = [Column(name=name, properties=(fixed(color),)) for name, color in colors.items()]
    return _finish(about, panel, columns)


def stacked_bars(
    slug: str,
    title: str,
    *,
    question: str,
    unit: str,
    source: str,
    x: str,
    stack_by: str | None = None,
    value: str | None = None,
    series: Sequence[Column] = (),
    width: int = 8,
    height: int = 8,
) -> Panel:
    """Bars by category `x`; with `stack_by` and `value` rows become a matrix of one series a word."""
    about = About(
        slug=slug, title=title, question=question, source=source, unit=unit, width=width, height=height
    )
    panel = barchart.Panel().legend(_legend()).tooltip(_tooltip()).fill_opacity(85).line_width(0)
    panel.bar_width(0.8).group_width(0.75).show_value(common_models.VisibilityMode.NEVER)
    panel.x_tick_label_spacing(60).x_field(x)
    if stack_by and value:
        matrix_of = {"columnField": stack_by, "rowField": x, "valueField": value, "emptyValue": "zero"}
        panel.with_transformation(models.DataTransformerConfig(id_val="groupingToMatrix", options=matrix_of))
        panel.stacking(common_models.StackingMode.NORMAL).x_field(f"{x}\\{stack_by}")
    return _finish(about, panel, series)


def drill_table(
    slug: str,
    title: str,
    *,
    question: str,
    unit: str,
    source: str,
    columns: Sequence[Column],
    width: int = 24,
    height: int = 9,
    empty: str = "None",
) -> Panel:
    """Rows that lead on; `empty` is shown where none is good news."""
    about = About(
        slug=slug, title=title, question=question, source=source, unit=unit, width=width, height=height
    )
    panel = table.Panel().show_header(show_header=True).cell_height(common_models.TableCellHeight.SM)
    panel.thresholds(palette.thresholds(palette.NEUTRAL)).no_value(empty).filterable(filterable=False)
    return _finish(about, panel, columns)


def fixed(color: str) -> Property:
    """One colour, whatever the value."""
    return ("color", {"mode": "fixed", "fixedColor": color})


def dashed() -> Property:
    """A line of the plan or of the past."""
    return ("custom.lineStyle", {"fill": "dash", "dash": [6, 4]})


def dots() -> tuple[Property, ...]:
    """Marks on single days instead of a line."""
    return (("custom.drawStyle", "points"), ("custom.pointSize", 7), ("custom.showPoints", "always"))


def unit_of(unit: str, decimals: int | None = None) -> tuple[Property, ...]:
    """A column's own unit."""
    return (("unit", unit),) if decimals is None else (("unit", unit), ("decimals", decimals))


def levels(steps: Sequence[palette.Step], cell: str = "color-text") -> tuple[Property, ...]:
    """A cell coloured by levels: 'color-text', 'color-background' or 'gauge'."""
    options = {"type": cell, "mode": "basic"} if cell != "color-text" else {"type": cell}
    config = {"mode": "absolute", "steps": [{"value": value, "color": color} for value, color in steps]}
    return (("color", {"mode": "thresholds"}), ("thresholds", config), ("custom.cellOptions", options))


def words(colors: dict[str, str]) -> tuple[Property, ...]:
    """A cell of words, each with its colour."""
    return (("mappings", palette.named_colors(colors)), ("custom.cellOptions", {"type": "color-text"}))


def leads_to(title: str, url: str) -> Property:
    """A link on each cell of the column."""
    return ("links", [{"title": title, "url": url, "targetBlank": False}])


def _finish(
    about: About, panel: Builder, columns: Sequence[Column] = (), *, time_series: bool = False
) -> Panel:
    panel.title(about.title).description(f"{about.question}\n\nSource: {about.source}").unit(about.unit)
    panel.datasource(POSTGRES).with_target(query(about.sql or about.slug, time_series=time_series))
    for column in columns:
        properties = [
            models.DynamicConfigValue(id_val=name, value=value) for name, value in column.properties
        ]
        panel.override_by_name(column.name, properties)
    return Panel(slug=about.slug, width=about.width, height=about.height, builder=panel)


def _last(*, fields: str = "") -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"]).fields(fields).values(values=False)


def _link(title: str, url: str) -> dashboard_builders.DashboardLink:
    return dashboard_builders.DashboardLink(title).type(models.DashboardLinkType.LINK).url(url)


def _legend() -> common.VizLegendOptions:
    legend = common.VizLegendOptions().show_legend(show_legend=True)
    return legend.display_mode(common_models.LegendDisplayMode.LIST).placement(
        common_models.LegendPlacement.BOTTOM
    )


def _tooltip() -> common.VizTooltipOptions:
    return common.VizTooltipOptions().mode(common_models.TooltipDisplayMode.MULTI)
