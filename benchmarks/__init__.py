"""What the performance page reports: each module measures one part of the stack."""
