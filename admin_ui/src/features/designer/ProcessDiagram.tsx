import "bpmn-js/dist/assets/bpmn-js.css";
import "bpmn-js/dist/assets/diagram-js.css";

import NavigatedViewer from "bpmn-js/lib/NavigatedViewer";
import { useEffect, useRef } from "react";

interface Props {
  xml: string;
  labels: Record<string, string>;
  active?: string[];
  passed?: string[];
  wrong?: string[];
  height?: number;
}

interface Shape {
  id: string;
  businessObject: { name?: string };
}

const COLOURS = { active: "#fdf0dc", passed: "#e3f1e8", wrong: "#fbe3e1" };
const MARKS = { active: "●", passed: "✓", wrong: "!" };
const INK = { active: "#8a4b00", passed: "#1a6b3c", wrong: "#b3261e" };

/** A process diagram to read: names in the reader's language, elements coloured and marked. */
export default function ProcessDiagram({ xml, labels, active = [], passed = [], wrong = [], height = 420 }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const marks = JSON.stringify([active, passed, wrong]);
  useEffect(() => {
    if (!box.current) return;
    // StrictMode mounts twice: what comes back for the first one must not be drawn.
    let dead = false;
    const viewer = new NavigatedViewer({ container: box.current });
    void viewer.importXML(named(xml, labels)).then(() => {
      if (dead) return;
      (viewer.get("canvas") as { zoom: (how: string, where?: string) => void }).zoom("fit-viewport", "auto");
      const [now, before, bad] = JSON.parse(marks) as string[][];
      mark(viewer, before.filter((id) => !now.includes(id)), "passed");
      mark(viewer, now, "active");
      mark(viewer, bad, "wrong");
    });
    return () => {
      dead = true;
      viewer.destroy();
    };
  }, [xml, labels, marks]);
  return <div ref={box} style={{ height, border: "1px solid #d5dce4" }} />;
}

/** The same model with each element's name in the reader's language. */
function named(xml: string, labels: Record<string, string>): string {
  const document = new DOMParser().parseFromString(xml, "text/xml");
  for (const [id, label] of Object.entries(labels)) {
    const node = document.querySelector(`[id="${CSS.escape(id)}"]`);
    if (node?.hasAttribute("name")) node.setAttribute("name", label);
  }
  return new XMLSerializer().serializeToString(document);
}

function mark(viewer: NavigatedViewer, ids: string[], kind: keyof typeof COLOURS): void {
  const registry = viewer.get("elementRegistry") as {
    get: (id: string) => Shape | undefined;
    getGraphics: (id: string) => SVGElement | undefined;
  };
  const overlays = viewer.get("overlays") as { add: (id: string, overlay: unknown) => void };
  for (const id of ids) {
    if (!registry.get(id)) continue;
    const shape = registry.getGraphics(id)?.querySelector<SVGElement>(".djs-visual > :first-child");
    if (shape) {
      shape.style.fill = COLOURS[kind];
      shape.style.stroke = INK[kind];
    }
    const badge = document.createElement("span");
    badge.textContent = MARKS[kind];
    badge.style.cssText = `color:#fff;background:${INK[kind]};border-radius:9px;padding:0 6px;font-size:12px`;
    overlays.add(id, { position: { top: -10, left: -6 }, html: badge });
  }
}
