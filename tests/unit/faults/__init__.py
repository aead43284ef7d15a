"""What judges the marts, judged by hand."""
