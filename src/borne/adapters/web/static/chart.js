/* Chart of a session: uPlot with the page's colours; redrawn when size or theme change. */
(() => {
  "use strict";
  class LineChart extends HTMLElement {
    connectedCallback() {
      this.chart = JSON.parse(this.dataset.chart);
      this.draw();
      this.watch = new ResizeObserver(() => this.plot.setSize({ width: this.clientWidth, height: this.height() }));
      this.watch.observe(this);
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    }
    disconnectedCallback() {
      this.watch.disconnect();
    }
    height() {
      return this.clientWidth < 500 ? 220 : 300;
    }
    colour(name) {
      const probe = document.createElement("i");
      probe.className = `probe-${name}`;
      this.append(probe);
      const value = getComputedStyle(probe).color;
      probe.remove();
      return value;
    }
    draw() {
      this.plot?.destroy();
      const [power, offered, used] = this.chart.series;
      const muted = this.colour("muted");
      const grid = { stroke: this.colour("hair"), width: 1 };
      const zone = { timeZone: this.dataset.zone, hourCycle: "h23", hour: "2-digit", minute: "2-digit" };
      const clock = (value) => new Date(value * 1000).toLocaleTimeString(this.dataset.language, zone);
      const font = "12px system-ui, sans-serif";
      const axis = (scale, side, unit) => ({ scale, side, stroke: muted, font, grid: side === 3 ? grid : { show: false }, size: 54, values: (_, list) => list.map((value) => `${value} ${unit}`) });
      const line = (info, scale, name, more) => ({ label: info.label, scale, stroke: this.colour(name), width: 2, points: { show: false }, value: (_, value) => (value == null ? "–" : `${value} ${info.unit}`), ...more });
      this.plot = new uPlot(
        {
          width: this.clientWidth,
          height: this.height(),
          scales: { kW: { range: (_, low, high) => [0, Math.max(1, high * 1.1)] }, A: { range: (_, low, high) => [0, Math.max(6, high * 1.15)] } },
          axes: [{ stroke: muted, font, grid, values: (plot, list) => list.map(clock) }, axis("kW", 3, "kW"), axis("A", 1, "A")],
          series: [
            { label: this.dataset.time, value: (_, value) => (value == null ? "–" : clock(value)) },
            line(power, "kW", "charging", { fill: this.colour("charging-soft") }),
            line(offered, "A", "l1", { dash: [6, 4] }),
            line(used, "A", "l2"),
          ],
        },
        this.chart.data,
        this,
      );
    }
  }
  customElements.define("line-chart", LineChart);
})();
