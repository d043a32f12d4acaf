"""The Optimization page: grid searches, walk-forwards and Bayesian searches, their forms and results."""
