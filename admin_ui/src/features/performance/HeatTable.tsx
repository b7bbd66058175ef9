import { Empty } from "antd";
import { useTranslation } from "react-i18next";

import type { Shapes } from "../../api/client";

type Cell = Shapes["SlaCell"];

function colour(cell: Cell): string {
  if (cell.overdue > 0) return "#fbe3e1";
  if (cell.due_soon > 0) return "#fdf0dc";
  return "#e3f1e8";
}

/** Departments by services: how much is open, and how much of it is pressing, in words too. */
export function HeatTable({ cells }: { cells: Cell[] }) {
  const { t } = useTranslation();
  if (cells.length === 0) return <Empty description={t("sla.nothing_open")} />;
  const departments = [...new Map(cells.map((cell) => [cell.department, cell.department_name]))];
  const services = [...new Map(cells.map((cell) => [cell.service, cell.service_name]))];
  const frame = { border: "1px solid #d5dce4", padding: "8px 12px", textAlign: "left" } as const;
  return (
    <div style={{ overflowX: "auto" }}>
      <table style={{ borderCollapse: "collapse", width: "100%" }}>
        <thead>
          <tr>
            <th style={frame} scope="col">{t("column.department")}</th>
            {services.map(([code, name]) => <th key={code} style={frame} scope="col">{name}</th>)}
          </tr>
        </thead>
        <tbody>
          {departments.map(([code, name]) => (
            <tr key={code}>
              <th style={frame} scope="row">{name || t("sla.no_department")}</th>
              {services.map(([service]) => {
                const cell = cells.find((each) => each.department === code && each.service === service);
                return (
                  <td key={service} style={{ ...frame, background: cell ? colour(cell) : undefined }}>
                    {cell ? (
                      <>
                        <strong style={{ fontSize: 18 }}>{cell.open}</strong>
                        {(["overdue", "due_soon", "paused", "returned"] as const).map((key) =>
                          cell[key] > 0 ? <div key={key}>{t(`heat.${key}`, { count: cell[key] })}</div> : null,
                        )}
                      </>
                    ) : null}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
