import { useQuery } from "@tanstack/react-query";
import { Alert, Button, Skeleton } from "antd";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type CaseView, postForm, Problem, take } from "../../api/client";

declare global {
  interface Window {
    banshiForms?: { enhance: (root: HTMLElement) => void };
  }
}

interface Props {
  taskId: string;
  revision: number;
  onDone: (next: CaseView) => void;
}

/** The task's form as the server drew it; errors come back drawn into it, and nothing is lost. */
export function TaskForm({ taskId, revision, onDone }: Props) {
  const { t } = useTranslation();
  const form = useQuery({
    queryKey: ["form", taskId],
    queryFn: () =>
      take(api.GET("/api/v1/tasks/{task_id}/form", { params: { path: { task_id: taskId } } })),
    // A refetch would throw away what is being typed.
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    gcTime: 0,
  });
  const fields = useRef<HTMLDivElement>(null);
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);

  function show(html: string) {
    if (!fields.current) return;
    fields.current.innerHTML = html;
    window.banshiForms?.enhance(fields.current);
  }

  const html = form.data?.html;
  useEffect(() => {
    if (html !== undefined) show(html);
  }, [html]);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      const body = new FormData(event.currentTarget);
      onDone(await postForm<CaseView>(`/api/v1/tasks/${taskId}/complete`, body, revision));
    } catch (error) {
      if (error instanceof Problem && error.body.html) show(error.body.html);
      else setProblem((error as Error).message);
    } finally {
      setBusy(false);
    }
  }

  if (form.error) return <Alert type="error" title={form.error.message} />;
  return (
    <form onSubmit={(event) => void submit(event)} noValidate>
      {form.isPending && <Skeleton active />}
      <div ref={fields} />
      {problem && <Alert type="error" title={problem} role="alert" style={{ marginBottom: 12 }} />}
      <Button type="primary" htmlType="submit" size="large" loading={busy}>
        {t("task.complete")}
      </Button>
    </form>
  );
}
