package baseline

// Heterogeneity says how often the gates pass while every interval misses. It is
// the one place where that share is written down.
const Heterogeneity = "In simulated populations whose members differ strongly in how easily they are seen, the gates can pass while every interval misses the truth; the study of the estimators states how often."
