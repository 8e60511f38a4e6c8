/** The template of a session's report where a project has none of its own. */
export const defaultSessionTemplate = `template:
  id: review
  name: Result of a review session
  version: "1"
title: "Review of task {{task_id}}: {{task_title}}"
sections:
  - title: Conclusion
    content: |
      {{summary}}

      {{task_status}}
  - title: Required changes
    fields: [required_changes]
  - title: Earlier findings
    fields: [earlier_findings]
  - title: Findings
    fields: [findings]
  - title: Conflicting suggestions
    fields: [conflicts]
  - title: Let stand by the policy
    fields: [let_stand]
  - title: What was in order
    fields: [strengths]
  - title: Reviewers
    content: |
      {{strategy}}

      Under review: {{scope}}

      {{reviewers}}
  - title: Warnings
    fields: [warnings]
  - title: For a person
    fields: [escalations]
  - title: Session
    fields: [session, metrics]
`;
