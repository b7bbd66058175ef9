"""Running processes: SpiffWorkflow executes, with task specs that do as BPMN says.

`workflow` holds the tokens and scopes; `nodes` is what all flow nodes share; `activities`,
`gateways`, `events`, `subprocesses` and `loops` are the kinds; `throwing` finds who catches,
`compensation` undoes; `state` is the stored form; `process` is the face.
"""
